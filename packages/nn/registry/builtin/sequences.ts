// Layers over samples [length, features]. A pipeline's batch is always the first dimension, so `batchFirst` is no question here.
import type { Tensor } from '@enigma/tensor'
import * as layers from '../../layers/index.js'
import { type CoherenceProfileName, coherenceProfiles } from '../../mixer/profiles.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, probability, seed, size } from './parameters.js'

/** Self-attention whose queries see no later keys. */
class CausalSelfAttention extends layers.MultiheadAttention {
  override forward(x: Tensor): Tensor {
    return super.forward(x, x, x, { isCausal: true })
  }
}

const recurrent = {
  inputSize: size('features of the input'),
  hiddenSize: size('features of the result, for each direction'),
  numLayers: { type: 'integer', description: 'layers on top of each other', default: 1, minimum: 1 },
  bias: flag('whether biases are added', true),
  dropout: probability('dropout on the output of every layer but the last', 0),
  bidirectional: flag('whether a second set of weights reads backwards', false),
  seed,
} as const

const sample = (features: string) => ['length', features] as const

const recurrentType = (
  type: string,
  displayName: string,
  description: string,
  Recurrent: typeof layers.GRU | typeof layers.LSTM,
) =>
  layerType(
    { type, displayName, description, category: 'Layer', parameters: recurrent, inputShape: sample('inputSize') },
    ({ inputSize, hiddenSize, ...options }) => new Recurrent(inputSize, hiddenSize, { ...options, batchFirst: true }),
  )

export const sequences: readonly LayerType[] = [
  recurrentType('lstm', 'LSTM', 'long short-term memory over a sequence; the outputs of all steps', layers.LSTM),
  recurrentType('gru', 'GRU', 'gated recurrent units over a sequence; the outputs of all steps', layers.GRU),
  layerType(
    {
      type: 'multiheadattention',
      displayName: 'Multi-head self-attention',
      description: 'each token reads from all tokens, or from those up to it',
      category: 'Attention',
      parameters: {
        embedDim: size('features of a token'),
        numHeads: size('heads, each with its part of the features'),
        causal: flag('whether a token sees no later ones', false),
        dropout: probability('dropout on the attention weights', 0),
        bias: flag('whether biases are added', true),
        seed,
      },
      inputShape: sample('embedDim'),
      outputShape: sample('embedDim'),
    },
    ({ embedDim, numHeads, causal, ...options }) =>
      new (causal ? CausalSelfAttention : layers.MultiheadAttention)(embedDim, numHeads, { ...options, batchFirst: true }),
  ),
  layerType(
    {
      type: 'coherencemixer',
      displayName: 'Coherence mixer',
      description: 'causal token mixer in linear time, in place of attention',
      category: 'Attention',
      parameters: {
        dim: size('features of a token'),
        heads: size('heads, each with its part of the features'),
        curvature: { type: 'number', description: 'curvature of the Poincaré ball', default: -1, exclusiveMaximum: 0 },
        profile: {
          type: 'string',
          description: 'where the weights of channels start',
          default: 'membrane',
          values: Object.keys(coherenceProfiles) as CoherenceProfileName[],
        },
        discard: {
          type: 'number',
          description: 'channels below (1 - discard) of the largest weight are left out',
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
        },
        dropout: probability('dropout on the result', 0),
        seed,
      },
      inputShape: sample('dim'),
      outputShape: sample('dim'),
    },
    (options) => new layers.CoherenceMixer(options),
  ),
]
