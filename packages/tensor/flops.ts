import { sizeOf } from './dtype.js'
import type { OpName } from './ops/index.js'
import type { Attributes, Node, Program } from './program.js'

type Shapes = readonly (readonly number[])[]

const product = ([a]: Shapes, [y]: Shapes, { transA }: Attributes) => 2 * sizeOf(y!) * (transA ? a!.at(-2)! : a!.at(-1)!)
const recurrent =
  (gates: number) =>
  ([x, , weightHh]: Shapes) => {
    const [steps = 0, batch = 0, features = 0] = x!
    const hidden = weightHh![1]!
    return 2 * steps * batch * gates * hidden * (features + hidden)
  }

/** Floating-point operations of the ops that consist of products; a multiplication and an addition count as two. */
const products: Partial<Record<OpName, (inputs: Shapes, outputs: Shapes, attributes: Attributes) => number>> = {
  matmul: product,
  gemm: product,
  matmulQuantized: product,
  conv: ([, weight], [y]) => (2 * sizeOf(y!) * sizeOf(weight!)) / Math.max(1, weight![0]!),
  convTranspose: ([x, weight]) => (2 * sizeOf(x!) * sizeOf(weight!)) / Math.max(1, weight![0]!),
  convWeightGradient: ([, dy], [dWeight]) => (2 * sizeOf(dy!) * sizeOf(dWeight!)) / Math.max(1, dWeight![0]!),
  // Scores and mixture; what a causal mask hides is computed too.
  attention: ([q, k]) => 4 * sizeOf(q!) * k![2]!,
  lstm: recurrent(4),
  gru: recurrent(3),
}

/** Ops that only move elements. */
const moves: ReadonlySet<OpName> = new Set<OpName>([
  'reshape',
  'transpose',
  'broadcastTo',
  'slice',
  'pad',
  'split',
  'concat',
  'gatherRows',
  'gatherQuantized',
  'indexSelect',
  'gather',
  'flip',
  'cast',
  'stopGradient',
])

/**
 * Floating-point operations of some nodes of a program (default: all) by their shapes: products exactly, other ops one for each
 * element of their result, moves nothing. Sizes that are known only at run time count as 1.
 */
export function flopsOf(program: Pick<Program, 'values' | 'nodes'>, nodes: readonly Node[] = program.nodes): number {
  const shapeOf = (id: number) => program.values[id]!.shape.map((dim) => (typeof dim === 'number' ? dim : 1))
  return nodes.reduce((total, { op, inputs, outputs, attributes }) => {
    if (moves.has(op)) return total
    const count = products[op]
    return total + (count ? count(inputs.map(shapeOf), outputs.map(shapeOf), attributes) : sizeOf(shapeOf(outputs[0]!)))
  }, 0)
}
