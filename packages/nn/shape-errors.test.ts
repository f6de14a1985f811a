import { type DType, type Tensor, TensorError } from '@enigma/tensor'
import { elsewhere } from '@enigma/tensor/testing'
import { expect, it } from 'vitest'
import { NnError } from './errors.js'
import { Layer, losses, nn } from './index.js'
import { traceNetwork } from './trace-network.js'

const seed = 0
const here = /\(at \/elsewhere\.js:1:\d+\)/

/** An error of a network on an input of a shape. */
function errorOf(network: { forward(x: Tensor): Tensor }, shape: number[], dtype: DType = 'f32'): Error {
  try {
    traceNetwork({ x: { shape, dtype } }, ({ x }) => ({ y: elsewhere(() => network.forward(x)) }))
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

class Block extends Layer {
  readonly inner = new nn.Sequential(new nn.Linear(8, 8, { seed }), new nn.LayerNorm(4))
  override forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x))
  }
}

const sequential = (...layers: ConstructorParameters<typeof nn.Sequential>) => new nn.Sequential(...layers)

it.each<[string, { forward(x: Tensor): Tensor }, number[], DType, RegExp]>([
  [
    'the wrong number of features',
    new nn.Linear(64, 10, { seed }),
    [2, 32],
    'f32',
    /matmul: inner sizes 32 and 64 differ, right transposed; shapes \[2, 32\] and \[10, 64\].*, in Linear\(weight \[10, 64\], bias \[10\]\)$/,
  ],
  [
    'layers that do not follow one another',
    sequential(new nn.Linear(4, 8, { seed }), new nn.ReLU(), new nn.Linear(64, 10, { seed })),
    [2, 4],
    'f32',
    /shapes \[2, 8\] and \[10, 64\].*, in layer '2' \(Linear\(weight \[10, 64\], bias \[10\]\)\)$/,
  ],
  [
    'a layer deep inside',
    sequential(new nn.Linear(4, 8, { seed }), new Block()),
    [2, 4],
    'f32',
    /layerNorm: weight and bias must have the normalized shape.*\[2, 8\].*, in layer '1\.inner\.1' \(LayerNorm\(weight \[4\], bias \[4\]\)\)$/,
  ],
  [
    'channels of an image',
    sequential(new nn.Conv2d(3, 16, 3, { seed })),
    [1, 4, 8, 8],
    'f32',
    /channels.*\[1, 4, 8, 8\] and \[16, 3, 3, 3\].*in layer '0' \(Conv2d\(weight \[16, 3, 3, 3\], bias \[16\]\)\)$/,
  ],
  [
    'an image without its batch',
    new nn.Conv2d(3, 16, 3, { seed }),
    [3, 8, 8],
    'f32',
    /batch, channels.*\[3, 8, 8\].*in Conv2d\(/,
  ],
  [
    'tokens that are floats',
    new nn.Embedding(10, 4, { seed }),
    [2, 3],
    'f32',
    /gatherRows: expected i64 or i32, got f32\[2, 3\].*in Embedding\(weight \[10, 4\]\)$/,
  ],
  [
    'features that are integers',
    new nn.Linear(4, 2, { seed }),
    [2, 4],
    'i64',
    /matmul: expected f32, got i64\[2, 4\].*in Linear\(/,
  ],
  [
    'channels of a batch norm',
    new nn.BatchNorm2d(4),
    [2, 3, 5, 5],
    'f32',
    /BatchNorm2d: expected x \[N, 4.*3, 5, 5\].*in BatchNorm2d\(/,
  ],
])('a layer says where it was when %s did not fit', (_, network, shape, dtype, expected) => {
  const error = errorOf(network, shape, dtype)
  expect(error instanceof TensorError || error instanceof NnError).toBe(true)
  expect(error.message).toMatch(expected)
  expect(error.message).toMatch(here)
})

it('a state that does not fit names each tensor, both shapes and the line', () => {
  const net = new nn.Linear(4, 2, { seed })
  const state = { weight: { dtype: 'f32', shape: [4, 2], data: new Float32Array(8) }, scale: net.bias! } as const
  const load = () => elsewhere(() => net.loadStateDict(state))
  expect(load).toThrow(NnError)
  expect(load).toThrow(/missing bias; unexpected scale; weight is f32\[4,2\], expected f32\[2,4\]/)
  expect(load).toThrow(here)
})

it.each<[string, (x: Tensor) => Tensor, RegExp]>([
  ['predictions and targets', (x) => losses.mse(x, x.sum(0)), /mse.*\[4, 3\].*\[3\]/],
  [
    'rows and class indices',
    (x) => losses.crossEntropy(x, x.builder.constant([0, 1], [2], 'i64')),
    /crossEntropy.*\[4, 3\].*\[2\]/,
  ],
])('a loss names both shapes and the line when %s differ', (_, loss, expected) => {
  const error = errorOf({ forward: loss }, [4, 3])
  expect(error.message).toMatch(expected)
  expect(error.message).toMatch(here)
})
