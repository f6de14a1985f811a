/** What the ops of recurrent layers share: shapes, the lowering to one ONNX node, and time steps that lie feature by feature. */
import type { Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { expectDtype, fixed, type LowerContext, shapeError, type VjpContext } from './define.js'

export const f32 = (shape: Dims): Value => ({ shape, dtype: 'f32' })

export interface Sizes {
  /** Time steps, batch, input and hidden size. */
  readonly T: number
  readonly B: number
  readonly I: number
  readonly H: number
}

/** Checks x [T, B, I], weightIh [G·H, I], weightHh [G·H, H], biases [G·H] and states [B, H] for G gates. */
export function sizesOf(op: string, gates: number, inputs: readonly Value[]): Sizes {
  const [x, , weightHh, ...rest] = inputs
  for (const input of inputs) expectDtype(op, input, 'f32')
  const [T = 0, B = 0, I = 0] = fixed(op, x!.shape)
  const [rows = 0] = fixed(op, weightHh!.shape)
  const H = rows / gates
  const expected = [[gates * H, I], [gates * H, H], [gates * H], [gates * H], ...rest.slice(2).map(() => [B, H])]
  if (x!.shape.length !== 3 || inputs.slice(1).some(({ shape }, index) => shape.join() !== expected[index]!.join()))
    throw shapeError(
      op,
      `expected x [T, B, I], weights [${gates}H, I] and [${gates}H, H], biases [${gates}H], states [B, H]`,
      inputs.map(({ shape }) => shape),
    )
  if (T === 0) throw shapeError(op, 'needs at least one time step', [x!.shape])
  return { T, B, I, H }
}

export const join = (parts: readonly Tensor[], axis: number): Tensor =>
  parts.length === 1 ? parts[0]! : parts[0]!.builder.apply('concat', parts, { axis })[0]!

/** [R, C] as [C, R] by way of a third dimension, so that nobody turns it into a flag of every step's product, which costs each. */
export const transposedOnce = (x: Tensor): Tensor => {
  const [rows, columns] = x.shape as [number, number]
  return x.reshape([1, rows, columns]).transpose().reshape([columns, rows])
}

/** [T, B, K] as T tensors [B, K]. */
export const batchesOf = (x: Tensor, { T, B }: Sizes): Tensor[] => x.reshape([T * B, x.shape[2]!]).split(Array(T).fill(B), 0)

/** [T, B, K] as T tensors [K, B]. */
const featuresOf = (x: Tensor, { T }: Sizes): Tensor[] => {
  const features = x.shape[2] as number
  return x
    .transpose([0, 2, 1])
    .reshape([T * features, x.shape[1]!])
    .split(Array(T).fill(features), 0)
}

/** T tensors [K, B] as [T, B, K]. */
export const overTime = (steps: readonly Tensor[]): Tensor => {
  const [features, batch] = steps[0]!.shape as [number, number]
  return join(steps, 0).reshape([steps.length, features, batch]).transpose([0, 2, 1])
}

/** Gradients of the outputs y [T, B, H] and of the last state [B, H], by step as [H, B]; the last step has one in any case. */
export function stepGradients([dy, dLast]: VjpContext['gradients'], h0: Tensor, sizes: Sizes): (Tensor | undefined)[] {
  const parts: (Tensor | undefined)[] = dy ? featuresOf(dy, sizes) : Array(sizes.T).fill(undefined)
  const last = dLast ?? (dy ? undefined : h0.builder.scalar(0).broadcastTo(h0.shape as readonly number[]))
  if (last) parts[sizes.T - 1] = sumOf(parts[sizes.T - 1], last.transpose())
  return parts
}

/** The sum of two gradients of which either, not both, may be missing. */
export const sumOf = (a: Tensor | undefined, b: Tensor | undefined): Tensor => (a && b ? a.add(b) : (a ?? b)!)

/** Gate blocks of a weight or bias [G·H, …] in the order of ONNX, with the leading dimension of its directions. */
function reordered(
  { emit, ints }: LowerContext,
  input: { readonly name: string; readonly shape: Dims },
  order: readonly number[],
): string {
  const [rows = 0] = fixed('reorder', input.shape)
  const from = order.map((gate) => (gate * rows) / order.length)
  const blocks = from.map((start) => emit('Slice', [input.name, ints([start]), ints([start + rows / order.length]), ints([0])]))
  return emit('Unsqueeze', [emit('Concat', blocks, { axis: 0 }), ints([0])])
}

/** Emits ONNX's LSTM or GRU over one direction, which gives the first outputs: y and the last states. */
export function lowerWith(op: 'LSTM' | 'GRU', order: readonly number[], context: LowerContext): void {
  const { inputs, emit, ints, tensor } = context
  const [x, weightIh, weightHh, biasIh, biasHh, ...states] = inputs
  const outputs = context.outputs.slice(0, 1 + states.length)
  if (x!.shape[1] === 0) {
    // ONNX Runtime's kernel ends the process on an empty batch.
    for (const { name, shape } of outputs) {
      const empty = tensor(`empty ${shape}`, fixed(op, shape), () => new Float32Array(0))
      emit('Identity', [empty], {}, { outputs: [name] })
    }
    return
  }
  const bias = emit('Concat', [reordered(context, biasIh!, order), reordered(context, biasHh!, order)], { axis: 1 })
  const given = [x!.name, reordered(context, weightIh!, order), reordered(context, weightHh!, order), bias, '']
  const initial = states.map(({ name }) => emit('Unsqueeze', [name, ints([0])]))
  const hidden = (fixed(op, weightHh!.shape)[1] ?? 0) as number
  const names = outputs.map(({ name }) => `${name}.directed`)
  emit(op, [...given, ...initial], { hidden_size: hidden, ...(op === 'GRU' && { linear_before_reset: 1 }) }, { outputs: names })
  for (const [index, { name }] of outputs.entries())
    emit('Squeeze', [names[index]!, ints([index === 0 ? 1 : 0])], {}, { outputs: [name] })
}
