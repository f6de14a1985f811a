import { command } from '../../command.js'
import { openManager } from '../../session.js'

export const modulesGraph = command({
  name: 'modules graph',
  summary: 'who needs whom',
  notes: ['a -> b: a requires b; in brackets what is optional, or only loaded first.'],
  async run({ out }) {
    await using manager = await openManager(out)
    const { nodes, edges, text } = manager.graph()
    out.result({ nodes, edges }, () => text)
    return 0
  },
})
