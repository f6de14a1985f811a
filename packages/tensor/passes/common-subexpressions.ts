import type { Node, Program } from '../program.js'

/** JSON writes numbers that are not finite as null and -0 as 0, as if they were equal. */
const exact = (_key: string, value: unknown) =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `number ${Object.is(value, -0) ? '-0' : value}`
    : value

/** Computes equal expressions once. Every op is a pure function of its inputs and attributes, so equal text is equal value. */
export function commonSubexpressions(program: Program): Program {
  const replacement = new Map<number, number>()
  const resolve = (id: number) => replacement.get(id) ?? id
  const seen = new Map<string, Node>()
  const nodes: Node[] = []
  for (const original of program.nodes) {
    const node = { ...original, inputs: original.inputs.map(resolve) }
    const key = JSON.stringify([node.op, node.inputs, node.attributes], exact)
    const earlier = seen.get(key)
    if (earlier) {
      node.outputs.forEach((id, index) => {
        replacement.set(id, earlier.outputs[index]!)
      })
    } else {
      seen.set(key, node)
      nodes.push(node)
    }
  }
  return { ...program, nodes, outputs: program.outputs.map((output) => ({ ...output, value: resolve(output.value) })) }
}
