import fc from 'fast-check'
import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { sizeOf } from '../dtype.js'
import { grad } from '../grad.js'
import type { Tensor } from '../tensor.js'
import { at, type Nd, nd } from '../testing/nd.js'
import { trace } from '../trace.js'
import { adaptiveAvgPool2d, adaptiveMaxPool2d, avgPool2d, maxPool2d } from './index.js'

const between = (min: number, max: number) => fc.integer({ min, max })
const pair = (min: number, max: number) => fc.tuple(between(min, max), between(min, max))
const numRuns = process.env.ENIGMA_SOAK ? 400 : 20

/** Distinct numbers in no order, so that each window has one largest. */
const scattered = (shape: readonly number[]): Nd => {
  const count = sizeOf(shape)
  return { shape, data: Float64Array.from({ length: count }, (_, i) => Math.fround(((i * 7919) % 10007) / 5000 - 1)) }
}

/** One term of a result: how much of which input position it takes. */
type Share = { readonly index: readonly number[]; readonly weight: number }

/** Positions, on one dimension, that each window sees. PyTorch's rule for the last window: it must start inside or before. */
function windows(size: number, kernel: number, stride: number, padding: number, dilation: number, ceil: boolean) {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1
  let count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  if (ceil && (count - 1) * stride >= size + padding) count--
  return Array.from({ length: count }, (_, output) =>
    Array.from({ length: kernel }, (_, tap) => output * stride - padding + tap * dilation),
  )
}

/** Runs a pooling of x and expects of it, and of its derivative, what the shares of each result say. */
async function expectPooling(x: Nd, pool: (x: Tensor) => Tensor, rows: number[][], columns: number[][], shares: Shares) {
  const [n, c, height, width] = x.shape as [number, number, number, number]
  const terms = (index: readonly number[]) => {
    const inside = rows[index[2]!]!.flatMap((row) =>
      columns[index[3]!]!.flatMap((column) =>
        row >= 0 && row < height && column >= 0 && column < width ? [[index[0]!, index[1]!, row, column]] : [],
      ),
    )
    return shares(inside, rows[index[2]!]!, columns[index[3]!]!)
  }
  const shape = [n, c, rows.length, columns.length]
  const expected = nd(shape, (index) => terms(index).reduce((sum, { index, weight }) => sum + weight * at(x, index), 0))
  const seed = scattered(shape)
  const dx = nd(x.shape, () => 0)
  nd(shape, (position) => {
    for (const { index, weight } of terms(position)) {
      const flat = index.reduce((sum, i, axis) => sum * x.shape[axis]! + i, 0)
      dx.data[flat]! += weight * at(seed, position)
    }
    return 0
  })
  const program = trace({ x: { shape: x.shape } }, ({ x }) => {
    const y = pool(x)
    return { y, loss: y.mul(x.builder.constant([...seed.data], shape)).sum() }
  })
  const got = await evaluate(grad(program, { of: 'loss', wrt: ['x'] }), { x: [...x.data] })
  for (const [name, { shape, data }] of Object.entries({ y: expected, 'd.x': dx })) {
    expect(got[name]!.shape, name).toEqual(shape)
    for (const [i, value] of data.entries()) expect(Math.abs((got[name]!.data[i] as number) - value), name).toBeLessThan(1e-5)
  }
}

type Shares = (inside: readonly number[][], rows: readonly number[], columns: readonly number[]) => Share[]
const largest =
  (x: Nd): Shares =>
  (inside) => [{ index: inside.reduce((best, index) => (at(x, index) > at(x, best) ? index : best)), weight: 1 }]
const mean: Shares = (inside) => inside.map((index) => ({ index, weight: 1 / inside.length }))

const settings = fc
  .record({
    size: pair(1, 8),
    kernel: pair(1, 3),
    stride: pair(1, 4),
    half: fc.boolean(),
    dilation: pair(1, 2),
    ceilMode: fc.boolean(),
    countIncludePad: fc.boolean(),
  })
  .map(({ half, ...rest }) => ({ ...rest, padding: rest.kernel.map((size) => (half ? Math.floor(size / 2) : 0)) }))
  .filter(({ size, kernel, padding, dilation }) =>
    size.every((extent, axis) => extent + 2 * padding[axis]! > dilation[axis]! * (kernel[axis]! - 1)),
  )

it('any kernel, stride, padding, dilation and ceil mode give the largest of each window, and its gradient there', async () => {
  await fc.assert(
    fc.asyncProperty(settings, async ({ size, kernel, stride, padding, dilation, ceilMode }) => {
      const x = scattered([2, 2, ...size])
      const [rows, columns] = [0, 1].map((axis) =>
        windows(size[axis]!, kernel[axis]!, stride[axis]!, padding[axis]!, dilation[axis]!, ceilMode),
      )
      // With a distance between its positions a window may lie in the padding altogether: PyTorch gives -∞ there.
      const seen = (list: number[][], extent: number) => list.every((window) => window.some((i) => i >= 0 && i < extent))
      fc.pre(seen(rows!, size[0]) && seen(columns!, size[1]))
      const options = { stride, padding, dilation, ceilMode }
      await expectPooling(x, (x) => maxPool2d(x, kernel, options), rows!, columns!, largest(x))
    }),
    { numRuns },
  )
})

it('any kernel, stride, padding and ceil mode give the mean of each window, with and without the padding', async () => {
  await fc.assert(
    fc.asyncProperty(
      settings.filter(({ size, kernel, padding }) => size.every((extent, axis) => extent + 2 * padding[axis]! >= kernel[axis]!)),
      async ({ size, kernel, stride, padding, ceilMode, countIncludePad }) => {
        const x = scattered([1, 2, ...size])
        const [rows, columns] = [0, 1].map((axis) =>
          windows(size[axis]!, kernel[axis]!, stride[axis]!, padding[axis]!, 1, ceilMode),
        )
        const padded = (list: readonly number[], axis: number) => list.filter((i) => i < size[axis]! + padding[axis]!).length
        const shares: Shares = (inside, rows, columns) =>
          inside.map((index) => ({ index, weight: 1 / (padded(rows, 0) * padded(columns, 1)) }))
        const options = { stride, padding, ceilMode, countIncludePad }
        await expectPooling(x, (x) => avgPool2d(x, kernel, options), rows!, columns!, countIncludePad ? shares : mean)
      },
    ),
    { numRuns },
  )
})

it('adaptive pooling covers any size by windows that differ by at most one in length', async () => {
  await fc.assert(
    fc.asyncProperty(pair(1, 7), pair(1, 8), fc.boolean(), async (size, outputs, max) => {
      const x = scattered([1, 2, ...size])
      const [rows, columns] = outputs.map((count, axis) =>
        Array.from({ length: count }, (_, output) => {
          const [start, end] = [Math.floor((output * size[axis]!) / count), Math.ceil(((output + 1) * size[axis]!) / count)]
          return Array.from({ length: end - start }, (_, tap) => start + tap)
        }),
      )
      const pool = (x: Tensor) => (max ? adaptiveMaxPool2d(x, outputs) : adaptiveAvgPool2d(x, outputs))
      await expectPooling(x, pool, rows!, columns!, max ? largest(x) : mean)
    }),
    { numRuns },
  )
})

it('of equal elements the first takes the gradient, as in PyTorch', async () => {
  const program = trace({ x: { shape: [1, 1, 2, 4] } }, ({ x }) => ({ loss: maxPool2d(x, 2).sum() }))
  const { 'd.x': dx } = await evaluate(grad(program, { of: 'loss', wrt: ['x'] }), { x: [0, 0, 1, 2, 0, 0, 2, 2] })
  expect([...dx!.data]).toEqual([1, 0, 0, 1, 0, 0, 0, 0])
})
