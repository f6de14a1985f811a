import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import type { HostTensor } from '../dtype.js'
import { concat, customGradient, lstm } from '../functional/index.js'
import type { Tensor } from '../tensor.js'
import { type InputSpec, trace } from '../trace.js'
import { partition } from './index.js'

type Inputs = Readonly<Record<string, Tensor>>
type Specs = Readonly<Record<string, InputSpec>>

const wave = (count: number, frequency = 0.7) => Float32Array.from({ length: count }, (_, i) => Math.sin(frequency * i + 1))
const weights = (x: Tensor, shape: readonly number[]) =>
  x.builder.constant(
    wave(
      shape.reduce((a, b) => a * b, 1),
      1.3,
    ),
    shape,
  )

/** One of `parts` equal stretches of a dimension. */
function stretch({ dtype, shape, data }: HostTensor, axis: number, part: number, parts: number): HostTensor {
  const sizes = shape.map((size, index) => (index === axis ? size / parts : size))
  const inner = sizes.slice(axis).reduce((a, b) => a * b, 1)
  const kept = (data as Float32Array).filter((_, index) => Math.floor(index / inner) % parts === part)
  return { dtype, shape: sizes, data: kept as HostTensor['data'] }
}

/** Traces for the whole batch and for a part, whose inputs are cut along `axes`. */
function analysed(specs: Specs, axes: Readonly<Record<string, number>>, loss: (inputs: Inputs) => Tensor, parts = 2) {
  const cut = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      { ...spec, shape: spec.shape.map((size, axis) => (axis === axes[name] ? (size as number) / parts : size)) },
    ]),
  )
  const body = (inputs: Inputs) => ({ loss: loss(inputs) })
  const [whole, part] = [trace(specs, body), trace(cut, body)]
  return { whole, part, found: partition(whole, part, parts) }
}

/** A program over x [T, B, F], as steps that each take what the one before gave. */
type Step = (x: Tensor) => Tensor
const last = (x: Tensor) => x.shape.at(-1) as number
const anyAxis = (x: Tensor, number: number) => number % x.rank
const steps: Record<string, (number: number) => Step> = {
  linear: () => (x) => x.matmul(weights(x, [last(x), 3])),
  tanh: () => (x) => x.tanh(),
  square: () => (x) => x.mul(x),
  scale: () => (x) => x.mul(0.5).add(0.1),
  bias: () => (x) => x.add(weights(x, [last(x)])),
  softmax: (n) => (x) => x.softmax(anyAxis(x, n)),
  cumsum: (n) => (x) => x.cumsum(anyAxis(x, n)),
  flip: (n) => (x) => x.flip([anyAxis(x, n)]),
  transpose: (n) => (x) => (n % 2 === 0 ? x.transpose() : x.transpose([...x.shape.keys()].reverse())),
  flatten: () => (x) => x.reshape([-1, last(x)]),
  rows: () => (x) => x.reshape([-1, 2, last(x)]),
  average: (n) => (x) => (x.rank > 2 ? x.mean(anyAxis(x, n)) : x),
  centred: (n) => (x) => x.sub(x.mean(anyAxis(x, n), { keepDims: true })),
  largest: (n) => (x) => x.sub(x.max(anyAxis(x, n), { keepDims: true })),
  gram: () => (x) => x.matmul(x, { transB: true }),
  doubled: (n) => (x) => concat([x, x], anyAxis(x, n)),
}
const ends: Record<string, Step> = {
  mean: (x) => x.mean(),
  sum: (x) => x.sum(),
  penalised: (x) =>
    x
      .mean()
      .mul(2)
      .add(weights(x, [3]).abs().sum()),
  perSample: (x) => x.sum().div(x.shape[0] as number),
  deviation: (x) => x.mean().sub(x.mean()).add(x.mean().mul(3)).neg(),
  logMean: (x) => x.abs().mean().add(1).log(),
  variance: (x) => x.sub(x.mean()).mul(x).mean(),
  ratio: (x) => x.sum().div(x.abs().sum()),
}

describe('partition', () => {
  const seen = { accepted: 0, refused: 0 }
  afterAll(() => expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(3))

  it('says yes only where the loss of the whole is the sum of those of the parts, scaled', async () => {
    const program = fc.record({
      chain: fc.array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(5)), { maxLength: 5 }),
      end: fc.constantFrom(...Object.keys(ends)),
      parts: fc.constantFrom(2, 3),
      axis: fc.constantFrom(0, 1),
    })
    await fc.assert(
      fc.asyncProperty(program, async ({ chain, end, parts, axis }) => {
        const loss = ({ x }: Inputs) => ends[end]!(chain.reduce((value, [name, number]) => steps[name]!(number)(value), x!))
        const shape = [6, 6, 2]
        const x = { dtype: 'f32', shape, data: wave(72) } as const
        let traced: ReturnType<typeof analysed>
        try {
          traced = analysed({ x: { shape } }, { x: axis }, loss, parts)
        } catch {
          return // no program at all: the shapes do not fit
        }
        const { whole, part, found } = traced
        const share = 'refused' in found ? undefined : found.outputs.get('loss')
        if (share?.kind !== 'sum') {
          seen.refused++
          return
        }
        seen.accepted++
        const { loss: expected } = await evaluate(whole, { x })
        let sum = 0
        for (let index = 0; index < parts; index++)
          sum += Number((await evaluate(part, { x: stretch(x, axis, index, parts) })).loss!.data[0])
        const value = Number(expected!.data[0])
        expect(Math.abs(sum * share.scale - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)))
      }),
      { numRuns: process.env.ENIGMA_SOAK ? 2000 : 120 },
    )
  })

  const x = { shape: [6, 4] }
  const y = { shape: [6], dtype: 'i64' } as const
  const refusals: Record<string, (inputs: Inputs) => Tensor> = {
    'batch normalisation': ({ x }) =>
      x!.builder.apply('batchNorm', [x!, weights(x!, [4]), weights(x!, [4])], { epsilon: 1e-5 })[0]!.mean(),
    'a softmax over the batch': ({ x }) => x!.softmax(0).mul(x!).mean(),
    'a contrast of samples': ({ x }) => x!.matmul(x!, { transB: true }).logSoftmax().mean(),
    'the square of a mean': ({ x }) => x!.mean().mul(x!.mean()),
    'a mean beside a sum': ({ x }) => x!.mean().add(x!.sum()),
    'a constant beside a sum': ({ x }) => x!.sum().add(1),
    'a largest loss': ({ x }) => x!.mean(1).max(),
    'running sums over the batch': ({ x }) => x!.cumsum(0).mean(),
    'a product with a mean': ({ x }) => x!.mul(x!.mean()).mean(),
    'a weight for each sample': ({ x }) => x!.mul(weights(x!, [x!.shape[0] as number, 1])).mean(),
    'the size of the batch': ({ x }) => x!.mul(x!.shape[0] as number).mean(),
    'a choice of samples': ({ x }) => x!.slice(0, 0, 1).mean(),
    'a gradient of its own': ({ x }) =>
      customGradient((z) => ({ output: z, vjp: (dy) => [dy.mul(dy.shape[0] as number)] }), x!).mean(),
    'classes that are computed': ({ x, y }) =>
      x!.builder.apply('crossEntropy', [x!, y!.remainder(3)], { ignoreIndex: -100, labelSmoothing: 0 })[0]!,
    'two means over different targets': ({ x, y }) =>
      x!.builder.apply('crossEntropy', [x!, y!], { ignoreIndex: -100, labelSmoothing: 0 })[0]!.add(x!.mul(x!).mean()),
  }
  it.each(Object.entries(refusals))('refuses %s', (_, loss) => {
    const { found } = analysed({ x, y }, { x: 0, y: 0 }, loss)
    expect('refused' in found || found.outputs.get('loss')!.kind !== 'sum').toBe(true)
  })

  it('says what stands in the way', () => {
    const { found } = analysed({ x }, { x: 0 }, ({ x }) => x!.softmax(0).mean())
    expect(found).toEqual({ refused: "'softmax' mixes parts of the batch, or what it does is not known" })
  })

  it('finds the batch behind time, in states of a recurrent layer and in rows [T·B]', () => {
    const [T, H] = [3, 2]
    const { found } = analysed({ x: { shape: [T, 4, 5] }, y: { shape: [T, 4], dtype: 'i64' } }, { x: 1, y: 1 }, ({ x, y }) => {
      const batch = x!.shape[1] as number
      const zeros = x!.builder.scalar(0).broadcastTo([batch, H])
      const cell = {
        weightIh: weights(x!, [4 * H, 5]),
        weightHh: weights(x!, [4 * H, H]),
        biasIh: weights(x!, [4 * H]),
        biasHh: weights(x!, [4 * H]),
      }
      const { output } = lstm(x!, cell, zeros, zeros)
      const attributes = { ignoreIndex: -100, labelSmoothing: 0 }
      return x!.builder.apply('crossEntropy', [output.reshape([T * batch, H]), y!.reshape([T * batch])], attributes)[0]!
    })
    expect(found).toMatchObject({
      inputs: new Map([
        ['x', { kind: 'cut', axis: 1, outer: 1 }],
        ['y', { kind: 'cut', axis: 1, outer: 1 }],
      ]),
      outputs: new Map([['loss', { kind: 'sum', scale: 0.5, counted: { input: 'y', none: -100 } }]]),
    })
  })

  it('cuts a dropout mask as the tensor that it is multiplied with', () => {
    const spec = { shape: [3, 4, 2] }
    const body = ({ x }: Inputs) => {
      const rows = x!.reshape([3 * (x!.shape[1] as number), 2])
      return { loss: rows.mul(rows.builder.random({ kind: 'bernoulli', p: 0.5 }, rows.shape)).mean() }
    }
    const found = partition(trace({ x: spec }, body), trace({ x: { shape: [3, 2, 2] } }, body), 2)
    expect(found).toMatchObject({
      inputs: new Map([
        ['x', {}],
        ['#random.0', { kind: 'cut', axis: 0, outer: 3 }],
      ]),
    })
  })
})
