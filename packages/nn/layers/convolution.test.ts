import { describe, expect, it } from 'vitest'
import { NnError, nn, traceNetwork, type UnaryLayer } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

type Name = 'Conv1d' | 'Conv2d' | 'ConvTranspose1d' | 'ConvTranspose2d'

describe.each(layerGoldens('convolution'))('nn.$layer $arguments', (golden) => {
  it('gives the output and the gradients that PyTorch gives', async () => {
    await expectGolden(nn[golden.layer as Name], golden)
  })
})

describe('a convolution layer', () => {
  it('starts as PyTorch does: weight and bias uniform within 1/√(inputs of one output)', () => {
    const layer = new nn.Conv2d(8, 64, [3, 5], { groups: 2, seed: 3 })
    const bound = 1 / Math.sqrt(4 * 3 * 5)
    for (const { data } of layer.parameters()) {
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(largest).toBeLessThanOrEqual(bound)
      expect(largest).toBeGreaterThan(0.9 * bound)
    }
    expect(layer.weight.data).toEqual(new nn.Conv2d(8, 64, [3, 5], { groups: 2, seed: 3 }).weight.data)
  })

  it('draws a transposed one by its weight [in, out/groups, …], as PyTorch does', () => {
    const layer = new nn.ConvTranspose1d(64, 8, 5, { groups: 2, seed: 3 })
    expect(layer.weight.shape).toEqual([64, 4, 5])
    expect(layer.bias!.shape).toEqual([8])
    const largest = layer.weight.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(4 * 5))
    expect(largest).toBeGreaterThan(0.9 / Math.sqrt(4 * 5))
  })

  it('refuses settings that fit no convolution', () => {
    expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(NnError)
    expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(/groups \(2\) must divide both channel counts, 3 and 4/)
    expect(() => new nn.Conv2d(3, 4, [3])).toThrow(/kernelSize must be one number or 2, got \[3\]/)
    const forward = (layer: UnaryLayer, shape: number[]) => () =>
      traceNetwork({ x: { shape } }, ({ x }) => ({ y: layer.forward(x) }))
    expect(forward(new nn.Conv2d(3, 4, 3, { padding: 'same', stride: 2 }), [1, 3, 8, 8])).toThrow(
      /'same' needs stride 1, got \[2,2\]/,
    )
    expect(forward(new nn.Conv2d(3, 4, 3, { stride: 0 }), [1, 3, 8, 8])).toThrow(/stride must be a whole number of at least 1/)
    expect(forward(new nn.Conv2d(3, 4, 3), [1, 2, 8, 8])).toThrow(/2 input channels.*\[1, 2, 8, 8\] and \[4, 3, 3, 3\]/)
    expect(forward(new nn.Conv2d(3, 4, 5), [1, 3, 8, 4])).toThrow(/the kernel is larger than the padded input/)
    expect(forward(new nn.Conv2d(3, 4, 3), [3, 8, 8])).toThrow(/expected 4 dimensions.*\[3, 8, 8\]/)
    expect(forward(new nn.ConvTranspose2d(3, 4, 3, { outputPadding: 1 }), [1, 3, 8, 8])).toThrow(
      /outputPadding \[1, 1\] must be at least 0 and less than the stride \[1, 1\]/,
    )
    expect(forward(new nn.ConvTranspose1d(3, 4, 3), [1, 2, 8])).toThrow(/2 input channels.*\[1, 2, 8\] and \[3, 4, 3\]/)
  })
})
