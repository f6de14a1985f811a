import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { batchNorm, groupNorm, interpolate, layerNorm, maxPool2d } from '../functional/index.js'
import { avgPool2d } from '../functional/pooling.js'
import { grad } from '../grad.js'
import type { Tensor } from '../tensor.js'
import { trace } from '../trace.js'

const wave = (count: number, pitch: number) => Array.from({ length: count }, (_, i) => Math.fround(Math.sin(pitch * (i + 1))))
const image = [2, 2, 4, 4]
const channels = (x: Tensor, pitch: number) => x.builder.constant(wave(2, pitch), [2])

it.each<[string, (x: Tensor, w: Tensor) => Tensor]>([
  ['layerNorm', (x, weight) => layerNorm(x.reshape([32, 2]), [2], { weight, bias: channels(x, 2), epsilon: 0.1 })],
  ['layerNorm without a weight', (x, w) => layerNorm(x, [4, 4], { epsilon: 0.1 }).mul(w.reshape([2, 1, 1]))],
  ['groupNorm', (x, weight) => groupNorm(x, 1, { weight, epsilon: 0.1 })],
  ['batchNorm', (x, weight) => batchNorm(x, { weight, bias: channels(x, 2), epsilon: 0.1 }).output],
  ['maxPool2d', (x, w) => maxPool2d(x.mul(w.reshape([2, 1, 1])), 2)],
  ['maxPool2d of overlapping windows', (x, w) => maxPool2d(x.mul(w.reshape([2, 1, 1])), 3, { stride: 1 })],
  ['avgPool2d', (x, w) => avgPool2d(x.mul(w.reshape([2, 1, 1])), 2)],
  ['avgPool2d of overlapping windows', (x, w) => avgPool2d(x.mul(w.reshape([2, 1, 1])), 3, { stride: 2, padding: 1 })],
  ['interpolate', (x, w) => interpolate(x.mul(w.reshape([2, 1, 1])), { size: [3, 5], mode: 'bilinear' })],
])('the gradient of a gradient penalty through %s equals differences of the penalty', async (_name, f) => {
  const specs = { x: { shape: image }, w: { shape: [2] } }
  const loss = trace(specs, ({ x, w }) => {
    const y = f(x, w)
    return { loss: y.mul(y).mul(y).sum() }
  })
  const first = grad(loss, { of: 'loss', wrt: ['x', 'w'] })
  const penalty = trace({}, (_, builder) => {
    const values = builder.inline(first)
    const squares = ['d.x', 'd.w'].map((output) => {
      const d = values[first.outputs.find(({ name }) => name === output)!.value]!
      return d.mul(d).sum()
    })
    return { penalty: squares[0]!.add(squares[1]!) }
  })
  const second = grad(penalty, { of: 'penalty', wrt: ['x', 'w'] })
  const point = { x: wave(64, 1.3), w: wave(2, 0.7) }
  const got = await evaluate(second, point)
  // Along a direction, so that rounding of single elements averages out.
  const direction = { x: wave(64, 2.1), w: wave(2, 1.9) }
  const dot = (['x', 'w'] as const).reduce(
    (sum, name) => sum + direction[name].reduce((total, d, i) => total + d * (got[`d.${name}`]!.data[i] as number), 0),
    0,
  )
  const along = async (h: number) => {
    const move = (name: 'x' | 'w') => point[name].map((value, i) => value + h * direction[name][i]!)
    const outputs = await evaluate(second, { x: move('x'), w: move('w') })
    return outputs.penalty!.data[0] as number
  }
  const h = 2e-3
  expect(dot / ((await along(h)) - (await along(-h))) / (1 / (2 * h))).toBeCloseTo(1, 2)
})
