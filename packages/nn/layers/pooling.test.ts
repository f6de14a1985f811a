import { describe, expect, it } from 'vitest'
import { nn, traceNetwork, type UnaryLayer } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

type Name = `${'Max' | 'Avg' | 'AdaptiveAvg' | 'AdaptiveMax'}Pool${1 | 2}d`

describe.each(layerGoldens('pooling'))('nn.$layer $arguments on $input.shape', (golden) => {
  it('gives the output and the gradients that PyTorch gives', async () => {
    await expectGolden(nn[golden.layer as Name], golden)
  })
})

describe('pooling layers', () => {
  const output = (layer: UnaryLayer, shape: (number | string)[]) => {
    const { program } = traceNetwork({ x: { shape } }, ({ x }) => ({ y: layer.forward(x) }))
    return program.values[program.outputs[0]!.value]!.shape
  }

  it('take batches of a size known only at run time', () => {
    expect(output(new nn.MaxPool2d(2), ['batch', 3, 5, 4])).toEqual(['batch', 3, 2, 2])
    expect(output(new nn.AdaptiveAvgPool2d(1), ['batch', 3, 5, 4])).toEqual(['batch', 3, 1, 1])
    expect(output(new nn.AdaptiveAvgPool2d([2, 3]), ['batch', 3, 5, 4])).toEqual(['batch', 3, 2, 3])
  })

  it('refuse shapes and settings that do not fit, naming both', () => {
    const wrong = (layer: UnaryLayer, shape: number[]) => () => output(layer, shape)
    expect(wrong(new nn.MaxPool2d(2), [2, 3, 4])).toThrow(/maxPool2d: expected 4 dimensions.*\[2, 3, 4\]/)
    expect(wrong(new nn.MaxPool2d(2, { padding: 2 }), [1, 1, 4, 4])).toThrow(
      /padding \[2, 2\] must be at most half of the kernel \[2, 2\]/,
    )
    expect(wrong(new nn.AvgPool1d(5), [1, 1, 4])).toThrow(
      /avgPool: a window of \[5\] is larger than the padded input.*\[1, 1, 4\]/,
    )
    expect(wrong(new nn.AvgPool1d(0), [1, 1, 4])).toThrow(/kernelSize must be a whole number of at least 1/)
    expect(wrong(new nn.MaxPool1d(2), [1, 0, 4])).toThrow(/only the batch may be empty.*\[1, 0, 4\]/)
  })
})
