import { evaluate } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { nn, traceNetwork, type UnaryLayer } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

type Name = 'Upsample' | 'PixelShuffle' | 'PixelUnshuffle' | 'Flatten' | 'Unflatten'

describe.each(layerGoldens('resampling'))('nn.$layer $arguments on $input.shape', (golden) => {
  it('gives the output and the gradients that PyTorch gives', async () => {
    await expectGolden(nn[golden.layer as Name], golden)
  })
})

describe('layers that resize and reshape', () => {
  const trace = (layer: UnaryLayer, shape: (number | string)[]) =>
    traceNetwork({ x: { shape } }, ({ x }) => ({ y: layer.forward(x) })).program

  it('take an empty batch', async () => {
    const layers = [new nn.Flatten(), new nn.PixelShuffle(2), new nn.Upsample({ size: [3, 5], mode: 'bilinear' })]
    const shapes = await Promise.all(
      layers.map(async (layer) => (await evaluate(trace(layer, [0, 4, 2, 2]), { x: [] })).y!.shape),
    )
    expect(shapes).toEqual([
      [0, 16],
      [0, 1, 4, 4],
      [0, 4, 3, 5],
    ])
  })

  it('refuse shapes and settings that do not fit, naming both', () => {
    const wrong = (layer: UnaryLayer, shape: number[]) => () => trace(layer, shape)
    expect(wrong(new nn.PixelShuffle(2), [1, 6, 2, 2])).toThrow(
      /pixelShuffle: the channels must be a multiple of 2².*\[1, 6, 2, 2\]/,
    )
    expect(wrong(new nn.PixelUnshuffle(2), [1, 6, 3, 2])).toThrow(/pixelUnshuffle: height and width must be multiples of 2/)
    expect(wrong(new nn.Upsample({}), [1, 1, 2, 2])).toThrow(/interpolate: give either size or scaleFactor/)
    expect(wrong(new nn.Upsample({ size: 4, alignCorners: true }), [1, 1, 2])).toThrow(
      /alignCorners is for the linear and cubic modes/,
    )
    expect(wrong(new nn.Upsample({ size: 4, mode: 'bilinear' }), [1, 1, 2])).toThrow(
      /interpolate: expected 4 dimensions.*\[1, 1, 2\]/,
    )
    expect(wrong(new nn.Upsample({ scaleFactor: 0 }), [1, 1, 2])).toThrow(/scaleFactor must be positive/)
    expect(wrong(new nn.Flatten({ startDim: 3 }), [1, 2])).toThrow(/flatten: axis 3 is out of range.*\[1, 2\]/)
    expect(wrong(new nn.Unflatten(1, [2, 2]), [1, 5])).toThrow(/reshape.*\[1, 5\] and \[1, 2, 2\]/)
  })
})
