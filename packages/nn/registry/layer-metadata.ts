import type { Shape } from '@enigma/tensor'
import type { UnaryLayer } from '../layer.js'
import type { CheckedConfig, LayerConfig, LayerParameters, StageConfig } from './layer-config.js'

/** What a layer is, for those who look for one: SpiralTorch's twelve, the last with a name of its own. */
export const layerCategories = [
  'Layer',
  'Loss',
  'Optimizer',
  'Activation',
  'Normalization',
  'Attention',
  'Convolution',
  'Pooling',
  'Embedding',
  'Encoder',
  'Decoder',
] as const
export type LayerCategory = (typeof layerCategories)[number] | `Custom(${string})`

/**
 * Sizes of one sample, without the batch dimension: a number; the name of a parameter, whose value it is; any other name, for a
 * size that may be anything; or `'...'` once, for any number of dimensions. A linear layer takes `['...', 'inFeatures']`.
 */
export type ShapePattern = readonly (number | string)[]

/** What a registry tells of a layer type without making one. */
export interface LayerMetadata<P extends LayerParameters | undefined = LayerParameters | undefined> {
  /** Its name in configurations. Case, `_` and `-` do not count. */
  readonly type: string
  readonly displayName: string
  readonly description: string
  readonly category: LayerCategory
  /** Further names of the type. */
  readonly aliases?: readonly string[]
  /** What can be set. Absent: the factory is given the configuration as it is. */
  readonly parameters?: P
  readonly inputShape?: ShapePattern
  readonly outputShape?: ShapePattern
}

/** What a factory may use besides its configuration. */
export interface FactoryContext {
  /** The shape that the layer will be given, batch included, where a pipeline builds it. */
  readonly inputShape?: Shape
  /** The layers of a list of stages one after the other; `name` is the parameter that holds them, for messages. */
  build(stages: readonly StageConfig[], name: string): UnaryLayer
}

export type LayerFactory<P extends LayerParameters | undefined = LayerParameters | undefined> = (
  config: P extends LayerParameters ? CheckedConfig<P> : LayerConfig,
  context: FactoryContext,
) => UnaryLayer
