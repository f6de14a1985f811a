import type { Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, type Gradients, type LowerContext, shapeError, type VjpContext } from './define.js'

const f32 = (shape: Dims): Value => ({ shape, dtype: 'f32' })

interface Sizes {
  /** Time steps, batch, input and hidden size. */
  readonly T: number
  readonly B: number
  readonly I: number
  readonly H: number
}

/** Checks x [T, B, I], weightIh [G·H, I], weightHh [G·H, H], biases [G·H] and states [B, H] for G gates. */
function sizesOf(op: string, gates: number, inputs: readonly Value[]): Sizes {
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

const zerosLike = (x: Tensor) => x.builder.scalar(0).broadcastTo(x.shape as readonly number[])
const steps = (x: Tensor, { T, B }: Sizes) => x.split(Array(T).fill(B), 0)
const join = (parts: readonly Tensor[], axis: number) => parts[0]!.builder.apply('concat', parts, { axis })[0]!
/** s · (1 - s), the derivative of a sigmoid by its value. */
const slope = (s: Tensor) => s.sub(s.mul(s))
const oneMinusSquare = (x: Tensor) => x.mul(x).neg().add(1)

/** What both backward passes begin with: x and the hidden state before each step as [T·B, …], and all gate sums in two products. */
function flattened(inputs: readonly Tensor[], y: Tensor, sizes: Sizes) {
  const [x, weightIh, weightHh, biasIh, biasHh, h0] = inputs
  const { T, B, I, H } = sizes
  const flatX = x!.reshape([T * B, I])
  const before = T === 1 ? h0! : join([h0!, y.slice(0, 0, T - 1).reshape([(T - 1) * B, H])], 0)
  return {
    flatX,
    before,
    fromX: flatX.matmul(weightIh!, { transB: true }).add(biasIh!),
    fromH: before.matmul(weightHh!, { transB: true }).add(biasHh!),
  }
}

/** Gradients of y by step, with the last state's added to the last. */
function stepGradients([dy, dLast]: VjpContext['gradients'], y: Tensor, sizes: Sizes): (Tensor | undefined)[] {
  const { T, B, H } = sizes
  const parts: (Tensor | undefined)[] = dy ? steps(dy.reshape([T * B, H]), sizes) : Array(T).fill(undefined)
  if (dLast) parts[T - 1] = parts[T - 1] ? parts[T - 1]!.add(dLast) : dLast
  parts[T - 1] ??= zerosLike(y.slice(0, 0, 1).reshape([B, H]))
  return parts
}

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

/** Emits ONNX's LSTM or GRU over one direction. */
function lowerWith(op: 'LSTM' | 'GRU', order: readonly number[], context: LowerContext): void {
  const { inputs, outputs, emit, ints, tensor } = context
  if (inputs[0]!.shape[1] === 0) {
    // ONNX Runtime's kernel ends the process on an empty batch.
    for (const { name, shape } of outputs) {
      const empty = tensor(`empty ${shape}`, fixed(op, shape), () => new Float32Array(0))
      emit('Identity', [empty], {}, { outputs: [name] })
    }
    return
  }
  const [x, weightIh, weightHh, biasIh, biasHh, ...states] = inputs
  const bias = emit('Concat', [reordered(context, biasIh!, order), reordered(context, biasHh!, order)], { axis: 1 })
  const given = [x!.name, reordered(context, weightIh!, order), reordered(context, weightHh!, order), bias, '']
  const initial = states.map(({ name }) => emit('Unsqueeze', [name, ints([0])]))
  const hidden = (fixed(op, weightHh!.shape)[1] ?? 0) as number
  const names = outputs.map(({ name }) => `${name}.directed`)
  emit(op, [...given, ...initial], { hidden_size: hidden, ...(op === 'GRU' && { linear_before_reset: 1 }) }, { outputs: names })
  for (const [index, { name }] of outputs.entries())
    emit('Squeeze', [names[index]!, ints([index === 0 ? 1 : 0])], {}, { outputs: [name] })
}

export const recurrent = defineOps({
  lstm: {
    summary:
      'long short-term memory (Hochreiter & Schmidhuber 1997) over x [T, B, I] with gates i, f, g, o as in PyTorch: c = f·c + i·g, h = o·tanh(c); gives h of all steps, the last h and the last c',
    infer(inputs) {
      const { T, B, H } = sizesOf('lstm', 4, inputs)
      return [f32([T, B, H]), f32([B, H]), f32([B, H])]
    },
    vjp({ inputs, outputs: [y], gradients }): Gradients {
      const sizes = sizesOf('lstm', 4, inputs)
      const { T, B, I, H } = sizes
      const [, weightIh, weightHh, , , h0, c0] = inputs
      const { flatX, before, fromX, fromH } = flattened(inputs, y!, sizes)
      const [inForget, cell, out] = fromX.add(fromH).split([2 * H, H, H], 1) as [Tensor, Tensor, Tensor]
      const [i, f] = inForget.sigmoid().split([H, H], 1) as [Tensor, Tensor]
      const [g, o] = [cell.tanh(), out.sigmoid()]
      const [fs, written] = [steps(f, sizes), steps(i.mul(g), sizes)]
      const cs = [c0!]
      for (let t = 0; t < T; t++) cs.push(fs[t]!.mul(cs[t]!).add(written[t]!))
      const tanhC = join(cs.slice(1), 0).tanh()
      // What a step's gradients dc and dh are multiplied with is known for all steps before the first is taken.
      const throughH = steps(o.mul(oneMinusSquare(tanhC)), sizes)
      const factors = [g.mul(slope(i)), join(cs.slice(0, T), 0).mul(slope(f)), i.mul(oneMinusSquare(g))]
      const byC = steps(join(factors, 1).reshape([T * B, 3, H]), sizes)
      const byH = steps(tanhC.mul(slope(o)), sizes)
      const dys = stepGradients(gradients, y!, sizes)
      const dGates: Tensor[] = []
      let dh: Tensor | undefined
      let dc = gradients[2]
      for (let t = T - 1; t >= 0; t--) {
        const later: Tensor | undefined = dGates[0]?.matmul(weightHh!)
        dh = later && dys[t] ? dys[t]!.add(later) : (later ?? dys[t]!)
        const here: Tensor = dh.mul(throughH[t]!)
        const dct: Tensor = dc ? here.add(dc) : here
        const first = byC[t]!.mul(dct.reshape([B, 1, H])).reshape([B, 3 * H])
        dGates.unshift(join([first, dh.mul(byH[t]!)], 1))
        dc = dct.mul(fs[t]!)
      }
      const all = join(dGates, 0)
      const dBias = all.sum(0)
      return [
        all.matmul(weightIh!).reshape([T, B, I]),
        all.matmul(flatX, { transA: true }),
        all.matmul(before, { transA: true }),
        dBias,
        dBias,
        dGates[0]!.matmul(weightHh!).reshape(h0!.shape),
        dc!.reshape(c0!.shape),
      ]
    },
    lower: (context) => lowerWith('LSTM', [0, 3, 1, 2], context),
  },

  gru: {
    summary:
      'gated recurrent unit (Cho et al. 2014) over x [T, B, I] with gates r, z, n as in PyTorch: n = tanh(Wx + b + r·(Uh + c)), h = (1-z)·n + z·h; gives h of all steps and the last h',
    infer(inputs) {
      const { T, B, H } = sizesOf('gru', 3, inputs)
      return [f32([T, B, H]), f32([B, H])]
    },
    vjp({ inputs, outputs: [y], gradients }): Gradients {
      const sizes = sizesOf('gru', 3, inputs)
      const { T, B, I, H } = sizes
      const [, weightIh, weightHh, , , h0] = inputs
      const { flatX, before, fromX, fromH } = flattened(inputs, y!, sizes)
      const [gatesX, newX] = fromX.split([2 * H, H], 1) as [Tensor, Tensor]
      const [gatesH, newH] = fromH.split([2 * H, H], 1) as [Tensor, Tensor]
      const [r, z] = gatesX.add(gatesH).sigmoid().split([H, H], 1) as [Tensor, Tensor]
      const n = newX.add(r.mul(newH)).tanh()
      const byNew = z.neg().add(1).mul(oneMinusSquare(n))
      const factors = [byNew.mul(newH).mul(slope(r)), before.sub(n).mul(slope(z)), byNew.mul(r), byNew]
      const by = steps(join(factors, 1).reshape([T * B, 4, H]), sizes)
      const zs = steps(z, sizes)
      const dys = stepGradients(gradients, y!, sizes)
      // For each step: gradients of r, z and of the new state's two parts, [B, 4H].
      const dAll: Tensor[] = []
      let dh: Tensor | undefined
      for (let t = T - 1; t >= 0; t--) {
        dh = dh && dys[t] ? dys[t]!.add(dh) : (dh ?? dys[t]!)
        const d = by[t]!.mul(dh.reshape([B, 1, H])).reshape([B, 4 * H])
        dAll.unshift(d)
        dh = dh.mul(zs[t]!).add(d.slice(1, 0, 3 * H).matmul(weightHh!))
      }
      const all = join(dAll, 0)
      const dFromH = all.slice(1, 0, 3 * H)
      const dFromX = join([all.slice(1, 0, 2 * H), all.slice(1, 3 * H, 4 * H)], 1)
      return [
        dFromX.matmul(weightIh!).reshape([T, B, I]),
        dFromX.matmul(flatX, { transA: true }),
        dFromH.matmul(before, { transA: true }),
        dFromX.sum(0),
        dFromH.sum(0),
        dh!.reshape(h0!.shape),
      ]
    },
    lower: (context) => lowerWith('GRU', [1, 0, 2], context),
  },
})
