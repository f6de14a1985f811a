import { inspect } from 'node:util'
import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { nn } from './index.js'

const network = () =>
  new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(8 * 4 * 4, 10),
  )

describe('a summary', () => {
  it('tells layers, shapes, parameters and floating-point operations', () => {
    const net = network()
    net.layers[0]!.freeze()
    const summary = net.summary({ shape: [2, 3, 4, 4] })
    expect(summary.layers.map(({ name, type, depth, outputShape }) => [name, type, depth, outputShape])).toEqual([
      ['', 'Sequential', 0, [2, 10]],
      ['0', 'Conv2d', 1, [2, 8, 4, 4]],
      ['1', 'BatchNorm2d', 1, [2, 8, 4, 4]],
      ['2', 'ReLU', 1, [2, 8, 4, 4]],
      ['3', 'Flatten', 1, [2, 128]],
      ['4', 'Linear', 1, [2, 10]],
    ])
    expect(summary.parameters).toBe(8 * 27 + 16 + 1290)
    expect(summary.trainable).toBe(16 + 1290)
    expect(summary.layers[1]).toMatchObject({ parameters: 216, trainable: 0, flops: 2 * 2 * 8 * 16 * 27 })
    // The product, and the bias added to each of its elements.
    expect(summary.layers[5]).toMatchObject({ inputShapes: [[2, 128]], flops: 2 * 2 * 128 * 10 + 20 })
    expect(summary.flops).toBe(summary.layers[0]!.flops)
    expect(summary.bytes).toBe(4 * (216 + 16 + 1290) + 4 * 16 + 8)
  })

  it('prints as a table', () => {
    const text = String(network().summary({ shape: [2, 3, 4, 4] }))
    expect(inspect(network().summary({ shape: [2, 3, 4, 4] }))).toBe(text)
    expect(text.split('\n')[2]).toMatch(/^Sequential +\[2, 10\] +1,522 +[\d.]+ k$/)
    expect(text.split('\n')[3]).toMatch(/^ {2}0: Conv2d +\[2, 8, 4, 4\] +216 +13\.8 k$/)
    expect(text.split('\n').at(-1)).toMatch(/^1,522 parameters, [\d.]+ kB, [\d.]+ kFLOPs forward$/)
  })

  it('counts parts of parts and layers that are used twice, and changes nothing', async () => {
    const shared = new nn.Linear(4, 4, { seed: 1 })
    const net = new nn.Sequential(shared, new nn.Sequential(shared, new nn.ReLU()))
    const summary = net.summary({ shape: [1, 4] })
    expect(summary.layers.map(({ name, depth }) => [name, depth])).toEqual([
      ['', 0],
      ['0', 1],
      ['1', 1],
      ['0', 2],
      ['1.1', 2],
    ])
    expect(summary.parameters).toBe(20)
    expect((await net.predict(tensor([1, 2, 3, 4], [1, 4]))).shape).toEqual([1, 4])
    await net.release()
    expect(() => net.summary({ shape: [1, 5] })).toThrow(/inner sizes 5 and 4 differ/)
    expect(net.summary({ shape: [1, 4] }).flops).toBe(summary.flops)
  })
})
