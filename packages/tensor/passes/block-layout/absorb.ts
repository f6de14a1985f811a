import type { Node, Program, Value } from '../../program.js'
import { deadCode } from '../dead-code.js'
import { useCounts } from '../uses.js'

/** Kernels that can add and clip while they write: inputs x, weights, a shift if `shift`, an addend. */
const kernels: ReadonlySet<string> = new Set(['blockedConv', 'blockedPhases', 'blockedAffine'])

/** A program under conversion, and how to find the node that made a value which nothing else reads. */
interface Context {
  readonly values: Value[]
  only(id: number): Node | undefined
}

/** An addition or a ReLU that alone reads the result of a blocked kernel is computed by that kernel. */
export function absorb(program: Program): Program {
  const uses = useCounts(program)
  const made = new Map<number, Node>()
  const values = [...program.values]
  const only = (id: number) => ((uses.get(id) ?? 1) === 1 ? made.get(id) : undefined)
  const nodes = program.nodes.flatMap((original): Node[] => {
    const list = original.op === 'add' ? addition(original, { values, only }) : [rectified(original, { values, only })]
    for (const node of list) for (const id of node.outputs) made.set(id, node)
    return list
  })
  return deadCode({ ...program, values, nodes })
}

function rectified(node: Node, { only }: Context): Node {
  const kernel = node.op === 'relu' ? only(node.inputs[0]!) : undefined
  if (!kernel || !kernels.has(kernel.op) || kernel.attributes.relu) return node
  return { ...kernel, outputs: node.outputs, attributes: { ...kernel.attributes, relu: true } }
}

function addition(node: Node, context: Context): Node[] {
  const { values, only } = context
  const [a, b] = node.inputs as [number, number]
  const [left, right] = [only(a), only(b)]
  // Phases are added before they are woven together: once instead of twice.
  if (left?.op === 'interleave' && right?.op === 'interleave' && a !== b) {
    const sum = values.push(values[left.inputs[0]!]!) - 1
    const inner: Node = { op: 'add', inputs: [left.inputs[0]!, right.inputs[0]!], outputs: [sum], attributes: {} }
    return [...addition(inner, context), { ...left, inputs: [sum], outputs: node.outputs }]
  }
  for (const [id, addend] of [
    [a, b],
    [b, a],
  ] as const) {
    const kernel = only(id)
    const open =
      kernel && kernels.has(kernel.op) && !kernel.attributes.relu && kernel.inputs.length === (kernel.attributes.shift ? 3 : 2)
    if (open && values[addend]!.shape.join() === values[id]!.shape.join())
      return [{ ...kernel, inputs: [...kernel.inputs, addend], outputs: node.outputs }]
  }
  return [node]
}
