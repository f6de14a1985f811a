import fc from 'fast-check'
import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { sizeOf } from '../dtype.js'
import { conv2d } from '../functional/index.js'
import { grad } from '../grad.js'
import type { Nd } from '../testing/nd.js'
import { references } from '../testing/references/index.js'
import { trace } from '../trace.js'

const between = (min: number, max: number) => fc.integer({ min, max })
const pair = (min: number, max: number) => fc.tuple(between(min, max), between(min, max))

/** Any convolution that is one: the kernel fits into the padded input. */
const convolutions = fc
  .record({
    batch: between(1, 2),
    groups: between(1, 3),
    inputs: between(1, 2),
    outputs: between(1, 2),
    size: pair(1, 7),
    kernel: pair(1, 3),
    stride: pair(1, 3),
    padding: pair(0, 2),
    dilation: pair(1, 2),
  })
  .filter(({ size, kernel, padding, dilation }) =>
    size.every((extent, axis) => extent + 2 * padding[axis]! > dilation[axis]! * (kernel[axis]! - 1)),
  )

const wave = (shape: readonly number[], pitch: number): Nd => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(Math.sin(pitch * (i + 1)))),
})

const feed = ({ shape, data }: Nd) => ({ dtype: 'f32' as const, shape, data: Float32Array.from(data) })

it('any stride, padding, dilation and groups give the plain sum, and so do the derivatives', async () => {
  await fc.assert(
    fc.asyncProperty(convolutions, async ({ batch, groups, inputs, outputs, size, kernel, stride, padding, dilation }) => {
      const x = wave([batch, inputs * groups, ...size], 1.3)
      const weight = wave([outputs * groups, inputs, ...kernel], 0.7)
      const forward = trace({ x, weight }, ({ x, weight }) => {
        const y = conv2d(x, weight, undefined, { stride, padding, dilation, groups })
        return { y, loss: y.mul(x.builder.constant([...wave(y.shape as number[], 0.9).data], y.shape as number[])).sum() }
      })
      const got = await evaluate(grad(forward, { of: 'loss', wrt: ['x', 'weight'] }), { x: feed(x), weight: feed(weight) })
      const attributes = { stride, pads: [...padding, ...padding], dilation, groups }
      const y = references.conv!.value([x, weight], attributes)
      const dy = wave(y.shape, 0.9)
      const outputPadding = size.map(
        (extent, axis) =>
          extent + 2 * padding[axis]! - dilation[axis]! * (kernel[axis]! - 1) - 1 - stride[axis]! * (y.shape[axis + 2]! - 1),
      )
      const expected = {
        y,
        'd.x': references.convTranspose!.value([dy, weight], { ...attributes, outputPadding }),
        'd.weight': references.convWeightGradient!.value([x, dy], { ...attributes, kernel }),
      }
      for (const [name, { shape, data }] of Object.entries(expected)) {
        expect(got[name]!.shape, name).toEqual(shape)
        data.forEach((value, i) => {
          expect(Math.abs((got[name]!.data[i] as number) - value), name).toBeLessThan(1e-5)
        })
      }
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 400 : 20 },
  )
})

it('has second derivatives: a gradient penalty equals central differences of the gradient', async () => {
  const x = wave([1, 2, 4, 5], 1.1)
  const weight = wave([2, 2, 3, 2], 0.6)
  const penalty = trace({ x, weight }, ({ x, weight }) => {
    const y = conv2d(x, weight, undefined, { stride: [2, 1], padding: 1 })
    return { loss: y.mul(y).mul(y).sum() }
  })
  const first = grad(penalty, { of: 'loss', wrt: ['x', 'weight'] })
  const squares = trace({ x, weight }, ({ x, weight }, builder) => {
    const y = conv2d(x, weight, undefined, { stride: [2, 1], padding: 1 })
    const dy = y.mul(y).mul(3)
    const attributes = { stride: [2, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 }
    const [dx] = builder.apply('convTranspose', [dy, weight], { ...attributes, outputPadding: [1, 0] })
    const [dw] = builder.apply('convWeightGradient', [x, dy], { ...attributes, kernel: [3, 2] })
    return { penalty: dx!.mul(dx!).sum().add(dw!.mul(dw!).sum()) }
  })
  const size = async (a: Nd, b: Nd) => {
    const outputs = await evaluate(first, { x: feed(a), weight: feed(b) })
    return ['d.x', 'd.weight'].reduce(
      (sum, name) => sum + (outputs[name]!.data as Float32Array).reduce((s, v) => s + v * v, 0),
      0,
    )
  }
  const second = await evaluate(grad(squares, { of: 'penalty', wrt: ['x', 'weight'] }), { x: feed(x), weight: feed(weight) })
  expect((second.penalty!.data as Float32Array)[0]! / (await size(x, weight))).toBeCloseTo(1, 5)
  for (const [name, at] of [
    ['x', 7],
    ['weight', 5],
  ] as const) {
    const shifted = (h: number): [Nd, Nd] => {
      const move = (value: Nd, moved: boolean): Nd => ({
        shape: value.shape,
        data: value.data.map((number, i) => (moved && i === at ? number + h : number)),
      })
      return [move(x, name === 'x'), move(weight, name === 'weight')]
    }
    const h = 1e-2
    const expected = ((await size(...shifted(h))) - (await size(...shifted(-h)))) / (2 * h)
    expect((second[`d.${name}`]!.data[at] as number) / expected).toBeCloseTo(1, 2)
  }
})
