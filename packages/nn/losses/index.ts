import type { Tensor } from '@enigma/tensor'

/** A loss: predictions and targets to a scalar. */
export type Loss = (output: Tensor, target: Tensor) => Tensor

export { type BceOptions, type BceWithLogitsOptions, bce, bceWithLogits } from './binary.js'
export { type CrossEntropyOptions, crossEntropy, type NllOptions, nll } from './classification.js'
export { type KlDivOptions, klDiv } from './divergence.js'
export type { Reduction, ReductionOptions } from './reduction.js'
export {
  type HuberOptions,
  huber,
  l1,
  mse,
  type PoissonNllOptions,
  poissonNll,
  type SmoothL1Options,
  smoothL1,
} from './regression.js'
export {
  type CosineSimilarityOptions,
  cosineEmbedding,
  cosineSimilarity,
  hingeEmbedding,
  type InfoNceOptions,
  infoNce,
  type MarginOptions,
  marginRanking,
  type TripletMarginOptions,
  tripletMargin,
} from './similarity.js'
