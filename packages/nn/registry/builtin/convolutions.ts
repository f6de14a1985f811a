import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, seed, size, sizes } from './parameters.js'

const convolution = {
  inChannels: size('channels of the input'),
  outChannels: size('channels of the result'),
  kernelSize: { ...sizes('size of the kernel', 1), required: true },
  stride: sizes('step of the kernel', 1),
  padding: { type: 'padding', description: 'zeros on both sides', minimum: 0 },
  dilation: sizes("distance of the kernel's taps", 1),
  groups: { type: 'integer', description: 'groups of channels that do not see each other', minimum: 1, default: 1 },
  bias: flag('whether a bias is added', true),
  seed,
} as const

export const convolutions: readonly LayerType[] = [
  layerType(
    {
      type: 'conv2d',
      displayName: 'Convolution of images',
      description: 'cross-correlation with learned kernels',
      category: 'Convolution',
      parameters: convolution,
      inputShape: ['inChannels', 'height', 'width'],
      outputShape: ['outChannels', 'newHeight', 'newWidth'],
    },
    ({ inChannels, outChannels, kernelSize, ...options }) => new layers.Conv2d(inChannels, outChannels, kernelSize, options),
  ),
]
