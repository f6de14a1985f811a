import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, size, sizes } from './parameters.js'

const sequence = ['channels', 'length'] as const
const image = ['channels', 'height', 'width'] as const

const window = {
  kernelSize: { ...sizes('size of a window', 1), required: true },
  stride: sizes('step of the window; its own size where none is given', 1),
  padding: { ...sizes('positions added on both sides', 0), default: 0 },
  ceilMode: flag('whether a last window that hangs over the end counts', false),
} as const
const maxWindow = { ...window, dilation: { ...sizes("distance of a window's positions", 1), default: 1 } } as const
const meanWindow = {
  ...window,
  countIncludePad: flag('whether padding counts in the number that a sum is divided by', true),
  divisorOverride: { type: 'integer', description: 'what sums are divided by instead', minimum: 1 },
} as const

const about = (type: string, displayName: string, description: string, inputShape: readonly string[]) =>
  ({
    type,
    displayName,
    description,
    category: 'Pooling',
    inputShape,
    outputShape: inputShape.map((name) => (name === 'channels' ? name : `new ${name}`)),
  }) as const

/** Windows that divide the input into as many parts as are asked for. */
const adaptive = (
  type: string,
  displayName: string,
  description: string,
  inputShape: readonly string[],
  Adaptive: new (outputSize: number) => layers.AdaptiveAvgPool1d,
) =>
  layerType(
    { ...about(type, displayName, description, inputShape), parameters: { outputSize: size('parts of the result') } },
    ({ outputSize }) => new Adaptive(outputSize),
  )

const parts = {
  outputSize: { ...sizes('parts of each dimension', 1), required: true },
} as const

export const pooling: readonly LayerType[] = [
  layerType(
    { ...about('maxpool1d', 'Max pooling', 'largest element of each window of a sequence', sequence), parameters: maxWindow },
    ({ kernelSize, ...options }) => new layers.MaxPool1d(kernelSize, options),
  ),
  layerType(
    {
      ...about('maxpool2d', 'Max pooling of images', 'largest element of each window of an image', image),
      aliases: ['maxpool'],
      parameters: maxWindow,
    },
    ({ kernelSize, ...options }) => new layers.MaxPool2d(kernelSize, options),
  ),
  layerType(
    { ...about('avgpool1d', 'Mean pooling', 'mean of each window of a sequence', sequence), parameters: meanWindow },
    ({ kernelSize, ...options }) => new layers.AvgPool1d(kernelSize, options),
  ),
  layerType(
    {
      ...about('avgpool2d', 'Mean pooling of images', 'mean of each window of an image', image),
      aliases: ['avgpool'],
      parameters: meanWindow,
    },
    ({ kernelSize, ...options }) => new layers.AvgPool2d(kernelSize, options),
  ),
  adaptive(
    'adaptiveavgpool1d',
    'Adaptive mean pooling',
    'means of so many parts of a sequence',
    sequence,
    layers.AdaptiveAvgPool1d,
  ),
  adaptive(
    'adaptivemaxpool1d',
    'Adaptive max pooling',
    'largest elements of so many parts of a sequence',
    sequence,
    layers.AdaptiveMaxPool1d,
  ),
  layerType(
    {
      ...about('adaptiveavgpool2d', 'Adaptive mean pooling of images', 'means of so many parts of an image', image),
      parameters: parts,
    },
    ({ outputSize }) => new layers.AdaptiveAvgPool2d(outputSize),
  ),
  layerType(
    {
      ...about('adaptivemaxpool2d', 'Adaptive max pooling of images', 'largest elements of so many parts of an image', image),
      parameters: parts,
    },
    ({ outputSize }) => new layers.AdaptiveMaxPool2d(outputSize),
  ),
]
