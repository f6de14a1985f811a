import * as layers from '../layers/index.js'
import type { LayerParameter } from './layer-config.js'
import { LayerRegistry, type LayerRegistryOptions, type LayerType, layerType } from './layer-registry.js'

const size = (description: string) => ({ type: 'integer', description, required: true, minimum: 1 }) as const
const flag = (description: string, value: boolean) => ({ type: 'boolean', description, default: value }) as const
const seed = { type: 'integer', description: 'seed of the first weights' } as const satisfies LayerParameter
const probability = (description: string, value: number) =>
  ({ type: 'number', description, default: value, minimum: 0, exclusiveMaximum: 1 }) as const

/** Sizes for all dimensions at once, or one for each. */
const sizes = (description: string, minimum: number) => ({ type: 'sizes', description, minimum }) as const

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

const vectors = (name: string) => ['...', name] as const

/** An activation without settings. */
const activation = (type: string, displayName: string, description: string, make: new () => layers.ReLU) =>
  layerType({ type, displayName, description, category: 'Activation', parameters: {} }, () => new make())

/** Every layer of this package that turns one tensor into one, by the name it has in configurations. */
const table: readonly LayerType[] = [
  layerType(
    {
      type: 'linear',
      displayName: 'Linear',
      description: 'y = x · weightᵀ + bias over the last dimension',
      category: 'Layer',
      parameters: {
        inFeatures: size('size of the last dimension'),
        outFeatures: size('size of the last dimension of the result'),
        bias: flag('whether a bias is added', true),
        seed,
      },
      inputShape: vectors('inFeatures'),
      outputShape: vectors('outFeatures'),
    },
    ({ inFeatures, outFeatures, ...options }) => new layers.Linear(inFeatures, outFeatures, options),
  ),
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
  layerType(
    {
      type: 'embedding',
      displayName: 'Embedding',
      description: 'rows of a learned table at integer indices',
      category: 'Embedding',
      parameters: { numEmbeddings: size('rows of the table'), embeddingDim: size('size of a row'), seed },
      outputShape: vectors('embeddingDim'),
    },
    ({ numEmbeddings, embeddingDim, ...options }) => new layers.Embedding(numEmbeddings, embeddingDim, options),
  ),
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
      type: 'dropout',
      displayName: 'Dropout',
      description: 'while training, zeroes elements with probability p and scales the rest by 1/(1-p)',
      category: 'Layer',
      parameters: { p: probability('probability of a zero', 0.5) },
    },
    ({ p }) => new layers.Dropout(p),
  ),
  activation('relu', 'ReLU', 'max(x, 0)', layers.ReLU),
  activation('silu', 'SiLU', 'x · sigmoid(x)', layers.SiLU),
  activation('tanh', 'Tanh', 'hyperbolic tangent', layers.Tanh),
  activation('sigmoid', 'Sigmoid', '1 / (1 + e^-x)', layers.Sigmoid),
  layerType(
    {
      type: 'swiglu',
      displayName: 'SwiGLU feed-forward',
      description: 'down(silu(gate(x)) · up(x)), without biases',
      category: 'Layer',
      parameters: {
        dim: size('size of the last dimension'),
        hidden: size('size between the projections'),
        dropout: probability('dropout on the result', 0),
        seed,
      },
      inputShape: vectors('dim'),
      outputShape: vectors('dim'),
    },
    ({ dim, hidden, dropout, seed }) => new layers.SwiGLU(dim, hidden, dropout, seed),
  ),
  layerType(
    {
      type: 'sequential',
      displayName: 'Sequential',
      description: 'layers one after the other',
      category: 'Layer',
      parameters: { layers: { type: 'stages', description: 'the layers', required: true } },
    },
    ({ layers: stages }, { build }) => build(stages, 'layers'),
  ),
  layerType(
    {
      type: 'residual',
      displayName: 'Residual',
      description: 'x + the result of layers that keep the shape',
      category: 'Layer',
      parameters: { layers: { type: 'stages', description: 'the layers', required: true } },
    },
    ({ layers: stages }, { build }) => new layers.Residual(build(stages, 'layers')),
  ),
  layerType(
    {
      type: 'parallel',
      displayName: 'Parallel',
      description: 'several branches over the same tensor, their results joined',
      category: 'Layer',
      parameters: {
        branches: { type: 'branches', description: 'the layers of each branch', required: true },
        join: { type: 'string', description: 'how results are joined', default: 'concat', values: ['concat', 'add', 'mul'] },
        axis: { type: 'integer', description: 'dimension of concat, the batch being 0', default: 1 },
      },
    },
    ({ branches, ...options }, { build }) =>
      new layers.Parallel(
        branches.map((stages, index) => build(stages, `branches.${index}`)),
        options,
      ),
  ),
]

/** A new registry with every layer of this package. */
export function builtinLayers(options: LayerRegistryOptions = {}): LayerRegistry {
  const registry = new LayerRegistry(options)
  for (const type of table) registry.add(type)
  return registry
}
