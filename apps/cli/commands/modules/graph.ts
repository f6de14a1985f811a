import { command } from '../../command.js'
import { type GraphFormat, graphFormats } from '../../output/graph.js'
import { openManager } from '../../session.js'

interface Flags {
  readonly format: GraphFormat | 'json'
}

export const modulesGraph = command<Flags>({
  name: 'modules graph',
  summary: 'who needs whom',
  options: [
    {
      flags: '--format <format>',
      text: 'mermaid and dot are for drawing',
      choices: ['text', 'json', ...Object.keys(graphFormats).filter((name) => name !== 'text')],
      default: 'text',
    },
  ],
  notes: ['a -> b: a requires b; in brackets what is optional, or only loaded first.'],
  async run({ options: { format }, out }) {
    await using manager = await openManager(out)
    const graph = manager.graph()
    if (out.json || format === 'json') out.data({ nodes: graph.nodes, edges: graph.edges })
    else out.text(graphFormats[format](graph))
    return 0
  },
})
