import { evaluate, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { nn, traceNetwork, type UnaryLayer } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

const layers = nn as unknown as Record<string, new (...settings: never[]) => UnaryLayer>

describe.each(layerGoldens('activations'))('nn.$layer $arguments on $input.shape', (golden) => {
  it('gives the outputs and gradients that PyTorch gives', async () => {
    // Empty options stand behind the arguments; most of these layers take numbers instead.
    const settings = golden.arguments.filter((argument) => JSON.stringify(argument) !== '{}')
    await expectGolden(layers[golden.layer]!, { ...golden, arguments: settings })
  })
})

describe('activation layers', () => {
  const output = async (layer: UnaryLayer, numbers: readonly number[]) => {
    const x = tensor(numbers)
    const { program, parameters } = traceNetwork({ x: { shape: x.shape } }, (inputs) => ({ y: layer.forward(inputs.x) }))
    return [...(await evaluate(program, { x, ...parameters })).y!.data].map(Number)
  }

  it('neither overflow nor underflow where a formula would', async () => {
    expect(await output(new nn.Softplus(), [-1000, 1000])).toEqual([0, 1000])
    expect(await output(new nn.LogSigmoid(), [-1000, 1000])).toEqual([-1000, -0])
    expect(await output(new nn.Mish(), [-1000, 1000])).toEqual([-0, 1000])
    expect(await output(new nn.GELU(), [-1000, 1000])).toEqual([-0, 1000])
    expect(await output(new nn.Softmin(), [-1000, 1000])).toEqual([1, 0])
    expect(await output(new nn.Sigmoid(), [-1000, 1000])).toEqual([expect.closeTo(0, 6), 1])
  })

  it('refuse settings and shapes that make no sense, naming themselves', () => {
    expect(() => new nn.Hardtanh(1, 1)).toThrow(/Hardtanh: 1 must be less than 1/)
    expect(() => new nn.CELU(0)).toThrow(/CELU: alpha divides x/)
    const on = (layer: UnaryLayer, shape: number[]) => () => traceNetwork({ x: { shape } }, ({ x }) => ({ y: layer.forward(x) }))
    expect(on(new nn.GLU(), [2, 3])).toThrow(/glu: dimension -1 must have an even size; shapes \[2, 3\]/)
    expect(on(new nn.PReLU(3), [2, 4])).toThrow(/prelu: .*one for each channel \(dimension 1\); shapes \[2, 4\] and \[3\]/)
    expect(on(new nn.Softmax(2), [2, 3])).toThrow(/softmax: axis 2 is out of range/)
  })
})
