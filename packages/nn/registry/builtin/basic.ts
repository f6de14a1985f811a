import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, probability, seed, size, vectors } from './parameters.js'

export const basic: readonly LayerType[] = [
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
      type: 'dropout',
      displayName: 'Dropout',
      description: 'while training, zeroes elements with probability p and scales the rest by 1/(1-p)',
      category: 'Layer',
      parameters: { p: probability('probability of a zero', 0.5) },
    },
    ({ p }) => new layers.Dropout(p),
  ),
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
]
