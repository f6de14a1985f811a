import { readFileSync } from 'node:fs'
import { compile, type DType, evaluate, grad, type HostTensor, type Tensor, TensorError, tensor, trace } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { losses } from '../index.js'

/** What `golden/losses.py` wrote. */
interface GoldenLoss {
  readonly loss: Exclude<keyof typeof losses, 'Loss'>
  readonly options: Readonly<Record<string, unknown>>
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype: DType; readonly values: readonly number[] }[]
  readonly value: { readonly shape: readonly number[]; readonly values: readonly number[] }
  /** By the position of the input. */
  readonly gradients: Readonly<Record<string, readonly number[]>>
}
const golden: readonly GoldenLoss[] = JSON.parse(readFileSync(new URL('../../golden/losses.json', import.meta.url), 'utf8'))

type AnyLoss = (...inputs: unknown[]) => Tensor
const numbers = ({ data }: HostTensor) => Array.from(data as Float32Array, Number)

function expectClose(actual: readonly number[], expected: readonly number[], what: string) {
  expect(actual.length, what).toBe(expected.length)
  const norm = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0))
  const difference = Math.sqrt(expected.reduce((sum, value, i) => sum + (value - actual[i]!) ** 2, 0))
  expect(difference, `${what}: ${actual} instead of ${expected}`).toBeLessThanOrEqual(1e-5 * norm + 1e-7)
}

/** A loss of named inputs x0, x1, …, as `value` and, summed with growing weights, as the scalar `total`. */
const programOf = ({ loss, options, inputs }: Pick<GoldenLoss, 'loss' | 'options' | 'inputs'>) =>
  trace<string>(Object.fromEntries(inputs.map(({ shape, dtype }, i) => [`x${i}`, { shape, dtype }])), (tensors, builder) => {
    // Weights come as numbers, and become tensors where the loss takes tensors.
    const lifted = Object.entries(options).map(([name, option]) =>
      Array.isArray(option) && loss.startsWith('bce') ? [name, builder.constant(option, [option.length])] : [name, option],
    )
    const value = (losses[loss] as AnyLoss)(...inputs.map((_, i) => tensors[`x${i}`]!), Object.fromEntries(lifted))
    if (loss === 'cosineSimilarity') return { value: value.mean(), total: value.mean() }
    const count = value.shape.reduce<number>((product, size) => product * (size as number), 1)
    const weights = builder.constant(
      Array.from({ length: count }, (_, i) => 1 + 0.25 * i),
      value.shape as number[],
    )
    return { value, total: value.rank === 0 ? value : value.mul(weights).sum() }
  })

describe('losses', () => {
  const named = golden.map((entry, index) => ({ ...entry, title: `${index} ${entry.loss} ${JSON.stringify(entry.options)}` }))
  it.each(named)('$title has PyTorch’s value and gradients', async (entry) => {
    const wrt = Object.keys(entry.gradients).map((position) => `x${position}`)
    const feeds = Object.fromEntries(
      entry.inputs.map(({ values, shape, dtype }, position) => [`x${position}`, tensor(values, shape, dtype)]),
    )
    const results = await evaluate(grad(programOf(entry), { of: 'total', wrt }), feeds, { threads: 1, spin: false })
    expect(results.value!.shape).toEqual(entry.value.shape)
    expectClose(numbers(results.value!), entry.value.values, 'value')
    for (const [position, gradient] of Object.entries(entry.gradients))
      expectClose(numbers(results[`d.x${position}`]!), gradient, `gradient ${position}`)
  })

  it('are all checked', () => {
    expect([...new Set(golden.map(({ loss }) => loss))].sort()).toEqual(Object.keys(losses).sort())
  })
})

const logits = tensor([1, 2, 3, 4, 5, 6], [2, 3])
async function run(body: (x: Tensor, y: Tensor) => Tensor, y: HostTensor, x: HostTensor = logits) {
  const program = trace({ x: { shape: x.shape }, y: { shape: y.shape, dtype: y.dtype } }, ({ x, y }) => ({ loss: body(x, y) }))
  const executable = await compile(grad(program, { of: 'loss', wrt: ['x'] }), { threads: 1, spin: false })
  try {
    const { loss, 'd.x': gradient } = await executable.run({ x, y })
    return { loss: numbers(loss!)[0]!, gradient: numbers(gradient!) }
  } finally {
    executable.release()
  }
}

describe('a class index out of range', () => {
  const variants = {
    fused: {},
    smoothed: { labelSmoothing: 0.1 },
    weighted: { weight: [1, 2, 3] },
    summed: { reduction: 'sum' },
  } as const
  it.each(Object.entries(variants))('never passes for another class, %s', async (_, options) => {
    const loss = (x: Tensor, y: Tensor) => losses.crossEntropy(x, y, options)
    const below = await run(loss, tensor([0, -1], [2], 'i64')).catch((error: unknown) => error)
    if (below instanceof TensorError) expect(below.message).toMatch(/crossEntropy: index -1 at position 1 of 'y' is out of range/)
    else expect(below).toMatchObject({ loss: Number.NaN })
    await expect(run(loss, tensor([0, 3], [2], 'i64'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it.each(Object.entries(variants))('gives 0 and no gradient when every element is ignored, %s', async (_, options) => {
    const { loss, gradient } = await run((x, y) => losses.crossEntropy(x, y, options), tensor([-100, -100], [2], 'i64'))
    expect(loss).toBeCloseTo(0, 12)
    expect(gradient.every((value) => value === 0)).toBe(true)
  })
})

describe('extremes', () => {
  it('an ignored element with a logit of -∞ does not disturb the others', async () => {
    const x = tensor([Number.NEGATIVE_INFINITY, 0, 0, 1, 1, 1], [2, 3])
    for (const options of [{}, { weight: [1, 1, 1] }]) {
      const { loss, gradient } = await run((x, y) => losses.crossEntropy(x, y, options), tensor([-100, 1], [2], 'i64'), x)
      expect(loss).toBeCloseTo(Math.log(3), 5)
      expect(gradient.every(Number.isFinite)).toBe(true)
    }
  })

  it('equal or vanishing vectors have finite distances and gradients', async () => {
    const [zero, x] = [tensor([0, 0, 0, 0, 0, 0], [2, 3]), logits]
    for (const loss of [
      losses.cosineSimilarity,
      (a: Tensor, b: Tensor) => losses.tripletMargin(a, a, b),
      losses.infoNce,
    ] as const)
      for (const [a, b] of [
        [zero, x],
        [x, zero],
        [zero, zero],
        [x, x],
      ] as const) {
        const { loss: value, gradient } = await run((p, q) => loss(p, q).sum(), b, a)
        expect(Number.isFinite(value)).toBe(true)
        expect(gradient.every(Number.isFinite)).toBe(true)
      }
  })

  it('a batch of no rows has a loss of 0', async () => {
    const [x, y] = [tensor([], [0, 3]), tensor([], [0], 'i64')]
    for (const options of [{}, { labelSmoothing: 0.1 }, { reduction: 'sum' }, { weight: [1, 2, 3] }] as const)
      expect((await run((x, y) => losses.crossEntropy(x, y, options), y, x)).loss).toBeCloseTo(0, 12)
  })
})

describe('a shape that does not fit', () => {
  const of = (shapes: readonly (readonly number[])[], body: (x: Tensor, y: Tensor) => Tensor, dtype: DType = 'f32') =>
    trace<string>(
      Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape, dtype: i === 1 ? dtype : 'f32' }])),
      ({ x0, x1 }) => ({ loss: body(x0!, x1!) }),
    )
  it('is refused with both shapes, and never broadcast', () => {
    for (const [make, message] of [
      [() => of([[4, 1], [4]], losses.mse), /losses\.mse: the output is \[4, 1\], the target \[4\]/],
      [() => of([[4], []], losses.huber), /losses\.huber: the output is \[4\], the target \[\]/],
      [() => of([[4, 3], [3]], losses.crossEntropy, 'i64'), /crossEntropy: the output is \[4, 3\], the target \[3\].*classes/],
      [() => of([[4, 3], [4]], losses.crossEntropy), /crossEntropy: the output is \[4, 3\], the target \[4\]/],
      [
        () => of([[4, 3], [4]], (x, y) => losses.nll(x, y, { weight: [1, 2] }), 'i64'),
        /weights are \[2\], but there are 3 classes/,
      ],
      [() => of([[4, 3], [4]], losses.bceWithLogits), /one shape; shapes \[4, 3\] and \[4\]/],
      [() => of([[4], [4]], losses.infoNce), /vectors \[n, dim\]/],
    ] as const)
      expect(make).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH', message: expect.stringMatching(message) }))
  })

  it('may be a flat vector of targets for logits of more dimensions', async () => {
    const x = tensor([1, 2, 3, 4, 5, 6], [1, 2, 3])
    const flat = await run((x, y) => losses.crossEntropy(x, y), tensor([0, 2], [2], 'i64'), x)
    const nested = await run((x, y) => losses.crossEntropy(x, y), tensor([0, 2], [1, 2], 'i64'), x)
    expect(flat).toEqual(nested)
  })
})
