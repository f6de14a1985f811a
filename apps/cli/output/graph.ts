import type { ModuleManager } from 'enigma'

// The graph of the modules in the languages of drawing programs.

type Graph = ReturnType<ModuleManager['graph']>

export type GraphFormat = keyof typeof graphFormats

export const graphFormats = { text: ({ text }: Graph) => text, mermaid, dot }

/** https://mermaid.js.org/syntax/flowchart.html */
function mermaid(graph: Graph): string {
  const name = names(graph)
  const arrows = { requires: '-->', optional: '-.->', after: '-.->' } as const
  return [
    'flowchart TD',
    ...[...name].map(([id, short]) => `  ${short}["${id.replaceAll('"', '#quot;')}"]`),
    ...graph.edges.map(({ from, to, kind }) => `  ${name.get(from)} ${arrows[kind]} ${name.get(to)}`),
  ].join('\n')
}

/** https://graphviz.org/doc/info/lang.html */
function dot(graph: Graph): string {
  const quoted = (id: string) => `"${id.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  const styles = { requires: '', optional: ' [style=dashed]', after: ' [style=dotted]' } as const
  return [
    'digraph modules {',
    ...[...names(graph).keys()].map((id) => `  ${quoted(id)}`),
    ...graph.edges.map(({ from, to, kind }) => `  ${quoted(from)} -> ${quoted(to)}${styles[kind]}`),
    '}',
  ].join('\n')
}

/** A short name for every node, and for what an edge leads to though nothing provides it. */
function names({ nodes, edges }: Graph): Map<string, string> {
  const ids = new Set([...nodes.map(({ id }) => id), ...edges.map(({ to }) => to)])
  return new Map([...ids].map((id, index) => [id, `m${index}`]))
}
