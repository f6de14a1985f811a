import { readFileSync } from 'node:fs'
import { evaluate, grad, type PerDimension, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { NnError, nn, traceNetwork } from '../index.js'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}
interface Golden {
  readonly layer: 'Conv2d'
  readonly arguments: [number, number, PerDimension]
  readonly options: nn.ConvOptions
  readonly state: Readonly<Record<string, Numbers>>
  readonly input: Numbers
  readonly output: Numbers
  readonly seed: Numbers
  readonly gradients: Readonly<Record<string, Numbers>>
}

const golden = JSON.parse(readFileSync(new URL('../../golden/convolution.json', import.meta.url), 'utf8')) as { cases: Golden[] }
const toTensor = ({ data, shape }: Numbers) => tensor([...data], [...shape])

function relativeError(got: ArrayLike<number>, expected: readonly number[]): number {
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  return norm(expected.map((value, i) => got[i]! - value)) / norm(expected)
}

describe.each(golden.cases)('nn.$layer $arguments $options', (example) => {
  it('gives the output and the gradients that PyTorch gives', async () => {
    const layer = new nn[example.layer](...example.arguments, { ...example.options, seed: null })
    layer.loadStateDict(Object.fromEntries(Object.entries(example.state).map(([name, value]) => [name, toTensor(value)])))
    const { program, parameters } = traceNetwork({ x: { shape: example.input.shape } }, ({ x }) => {
      const y = layer.forward(x)
      return { y, loss: y.mul(x.builder.constant(example.seed.data, example.seed.shape)).sum() }
    })
    const names = new Map([...layer.namedParameters()].map(([name, parameter]) => [parameter, name]))
    const wrt = ['x', ...Object.keys(parameters)]
    const outputs = await evaluate(grad(program, { of: 'loss', wrt }), { x: toTensor(example.input), ...parameters })
    expect(outputs.y!.shape).toEqual(example.output.shape)
    expect(relativeError(outputs.y!.data as Float32Array, example.output.data)).toBeLessThan(1e-6)
    for (const input of wrt) {
      const name = input === 'x' ? 'x' : names.get(parameters[input]!)!
      const expected = example.gradients[name]!
      expect(outputs[`d.${input}`]!.shape, name).toEqual(expected.shape)
      expect(relativeError(outputs[`d.${input}`]!.data as Float32Array, expected.data), name).toBeLessThan(1e-6)
    }
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

  it('refuses settings that fit no convolution', () => {
    expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(NnError)
    expect(() => new nn.Conv2d(3, 4, 3, { groups: 2 })).toThrow(/groups \(2\) must divide both channel counts, 3 and 4/)
    expect(() => new nn.Conv2d(3, 4, [3])).toThrow(/kernelSize must be one number or 2, got \[3\]/)
    const forward = (layer: nn.Conv2d, shape: number[]) => () =>
      traceNetwork({ x: { shape } }, ({ x }) => ({ y: layer.forward(x) }))
    expect(forward(new nn.Conv2d(3, 4, 3, { padding: 'same', stride: 2 }), [1, 3, 8, 8])).toThrow(
      /'same' needs stride 1, got \[2,2\]/,
    )
    expect(forward(new nn.Conv2d(3, 4, 3, { stride: 0 }), [1, 3, 8, 8])).toThrow(/stride must be a whole number of at least 1/)
    expect(forward(new nn.Conv2d(3, 4, 3), [1, 2, 8, 8])).toThrow(/2 input channels.*\[1, 2, 8, 8\] and \[4, 3, 3, 3\]/)
    expect(forward(new nn.Conv2d(3, 4, 5), [1, 3, 8, 4])).toThrow(/the kernel is larger than the padded input/)
    expect(forward(new nn.Conv2d(3, 4, 3), [3, 8, 8])).toThrow(/expected 4 dimensions.*\[3, 8, 8\]/)
  })
})
