import type { Node, Program } from '../program.js'

/** How often each value is read, outputs of the program included. */
export function useCounts(program: Program): Map<number, number> {
  const counts = new Map<number, number>()
  const read = (id: number) => counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const node of program.nodes) node.inputs.forEach(read)
  for (const output of program.outputs) read(output.value)
  return counts
}

/** The node that makes each value. */
export function producers(program: Program): Map<number, Node> {
  return new Map(program.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)))
}
