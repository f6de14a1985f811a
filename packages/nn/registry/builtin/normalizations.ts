import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { epsilon, flag, size, vectors } from './parameters.js'

const perChannel = (type: string, displayName: string, description: string, inputShape: readonly string[]) =>
  ({ type, displayName, description, category: 'Normalization', inputShape, outputShape: inputShape }) as const

const batchNorm = {
  numFeatures: size('channels'),
  eps: epsilon(1e-5),
  momentum: {
    type: 'number',
    description: 'share of the newest batch in the running statistics',
    default: 0.1,
    minimum: 0,
    maximum: 1,
  },
  affine: flag('whether each channel has a weight and a bias', true),
  trackRunningStats: flag('whether evaluation uses running statistics', true),
} as const

const instanceNorm = {
  numFeatures: size('channels'),
  eps: epsilon(1e-5),
  affine: flag('whether each channel has a weight and a bias', false),
} as const

const ofBatch = 'each channel by its mean and variance, of the batch while training, running ones in evaluation'
const ofSample = 'each channel of each sample by its own mean and variance'

export const normalizations: readonly LayerType[] = [
  layerType(
    {
      type: 'rmsnorm',
      displayName: 'RMS normalisation',
      description: 'x / sqrt(mean(x²) + eps) · weight over the last dimension',
      category: 'Normalization',
      parameters: {
        dim: size('size of the last dimension'),
        eps: { type: 'number', description: 'added to the mean square', default: 1e-6, minimum: 0 },
      },
      inputShape: vectors('dim'),
      outputShape: vectors('dim'),
    },
    ({ dim, eps }) => new layers.RMSNorm(dim, { eps }),
  ),
  layerType(
    {
      type: 'layernorm',
      displayName: 'Layer normalisation',
      description: '(x - mean) / sqrt(variance + eps) · weight + bias over the last dimensions',
      category: 'Normalization',
      parameters: {
        normalizedShape: { type: 'sizes', description: 'sizes of the last dimensions', required: true, minimum: 1 },
        eps: epsilon(1e-5),
        elementwiseAffine: flag('whether there are a weight and a bias', true),
        bias: flag('whether there is a bias', true),
      },
      inputShape: vectors('normalizedShape'),
    },
    ({ normalizedShape, ...options }) => new layers.LayerNorm(normalizedShape, options),
  ),
  layerType(
    {
      type: 'groupnorm',
      displayName: 'Group normalisation',
      description: 'each group of channels by its own mean and variance',
      category: 'Normalization',
      parameters: {
        numGroups: size('groups of channels'),
        numChannels: size('channels'),
        eps: epsilon(1e-5),
        affine: flag('whether each channel has a weight and a bias', true),
      },
      inputShape: ['numChannels', '...'],
    },
    ({ numGroups, numChannels, ...options }) => new layers.GroupNorm(numGroups, numChannels, options),
  ),
  layerType(
    { ...perChannel('batchnorm1d', 'Batch normalisation', ofBatch, ['numFeatures', '...']), parameters: batchNorm },
    ({ numFeatures, ...options }) => new layers.BatchNorm1d(numFeatures, options),
  ),
  layerType(
    {
      ...perChannel('batchnorm2d', 'Batch normalisation of images', ofBatch, ['numFeatures', 'height', 'width']),
      parameters: batchNorm,
    },
    ({ numFeatures, ...options }) => new layers.BatchNorm2d(numFeatures, options),
  ),
  layerType(
    { ...perChannel('instancenorm1d', 'Instance normalisation', ofSample, ['numFeatures', 'length']), parameters: instanceNorm },
    ({ numFeatures, ...options }) => new layers.InstanceNorm1d(numFeatures, options),
  ),
  layerType(
    {
      ...perChannel('instancenorm2d', 'Instance normalisation of images', ofSample, ['numFeatures', 'height', 'width']),
      parameters: instanceNorm,
    },
    ({ numFeatures, ...options }) => new layers.InstanceNorm2d(numFeatures, options),
  ),
]
