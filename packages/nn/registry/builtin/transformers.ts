// Encoders over samples [length, features]; decoders take two tensors, so pipelines have none.
import type { Tensor } from '@enigma/tensor'
import { childSeed } from '../../init/index.js'
import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, probability, seed, size } from './parameters.js'

/** An encoder layer whose tokens see no later ones. */
class CausalEncoderLayer extends layers.TransformerEncoderLayer {
  override forward(x: Tensor): Tensor {
    return super.forward(x, { isCausal: true })
  }
}

const encoderLayer = {
  dModel: size('features of a token'),
  nhead: size('heads, each with its part of the features'),
  dimFeedforward: { type: 'integer', description: 'size between the feed-forward projections', default: 2048, minimum: 1 },
  dropout: probability('dropout after every part', 0.1),
  activation: { type: 'string', description: 'of the feed-forward part', default: 'relu', values: ['relu', 'gelu'] },
  normFirst: flag('whether parts are normalised before instead of after', false),
  causal: flag('whether a token sees no later ones', false),
  seed,
} as const

const about = (type: string, displayName: string, description: string) =>
  ({
    type,
    displayName,
    description,
    category: 'Encoder',
    inputShape: ['length', 'dModel'],
    outputShape: ['length', 'dModel'],
  }) as const

interface EncoderLayerConfig extends Omit<layers.TransformerLayerOptions, 'batchFirst'> {
  readonly dModel: number
  readonly nhead: number
  readonly causal: boolean
}
const make = ({ dModel, nhead, causal, ...options }: EncoderLayerConfig) =>
  new (causal ? CausalEncoderLayer : layers.TransformerEncoderLayer)(dModel, nhead, { ...options, batchFirst: true })

export const transformers: readonly LayerType[] = [
  layerType(
    {
      ...about(
        'transformerencoderlayer',
        'Transformer encoder layer',
        'self-attention and a feed-forward part, each with a residual',
      ),
      parameters: encoderLayer,
    },
    make,
  ),
  layerType(
    {
      ...about('transformerencoder', 'Transformer encoder', 'encoder layers on top of each other'),
      parameters: { numLayers: size('layers on top of each other'), ...encoderLayer },
    },
    ({ numLayers, seed: given, ...config }) =>
      new layers.TransformerEncoder(numLayers, (index) => make({ ...config, seed: childSeed(given, index) })),
  ),
]
