import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, seed, size, sizes } from './parameters.js'

const kernel = {
  inChannels: size('channels of the input'),
  outChannels: size('channels of the result'),
  kernelSize: { ...sizes('size of the kernel', 1), required: true },
  stride: { ...sizes('step of the kernel', 1), default: 1 },
  dilation: { ...sizes("distance of the kernel's taps", 1), default: 1 },
  groups: { type: 'integer', description: 'groups of channels that do not see each other', minimum: 1, default: 1 },
  bias: flag('whether a bias is added', true),
  seed,
} as const
const direct = { ...kernel, padding: { type: 'padding', description: 'zeros on both sides', minimum: 0, default: 0 } } as const
const transposed = {
  ...kernel,
  padding: { ...sizes('positions taken off on both sides of the result', 0), default: 0 },
  outputPadding: { ...sizes('positions added at the end of the result', 0), default: 0 },
} as const

const about = (type: string, displayName: string, description: string, dimensions: readonly string[]) =>
  ({
    type,
    displayName,
    description,
    category: 'Convolution',
    inputShape: ['inChannels', ...dimensions],
    outputShape: ['outChannels', ...dimensions.map((name) => `new ${name}`)],
  }) as const
const [sequence, image] = [['length'], ['height', 'width']] as const

const correlation = 'cross-correlation with learned kernels'
const adjoint = 'transposed convolution: each element spreads a learned kernel'

export const convolutions: readonly LayerType[] = [
  layerType(
    { ...about('conv1d', 'Convolution of sequences', correlation, sequence), parameters: direct },
    ({ inChannels, outChannels, kernelSize, ...options }) => new layers.Conv1d(inChannels, outChannels, kernelSize, options),
  ),
  layerType(
    { ...about('conv2d', 'Convolution of images', correlation, image), parameters: direct },
    ({ inChannels, outChannels, kernelSize, ...options }) => new layers.Conv2d(inChannels, outChannels, kernelSize, options),
  ),
  layerType(
    { ...about('convtranspose1d', 'Transposed convolution of sequences', adjoint, sequence), parameters: transposed },
    ({ inChannels, outChannels, kernelSize, ...options }) =>
      new layers.ConvTranspose1d(inChannels, outChannels, kernelSize, options),
  ),
  layerType(
    { ...about('convtranspose2d', 'Transposed convolution of images', adjoint, image), parameters: transposed },
    ({ inChannels, outChannels, kernelSize, ...options }) =>
      new layers.ConvTranspose2d(inChannels, outChannels, kernelSize, options),
  ),
]
