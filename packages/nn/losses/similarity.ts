import type { Dims, Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { optionsOf } from '../options.js'
import { crossEntropy } from './classification.js'
import { expectAlike, type ReductionOptions, reduced } from './reduction.js'

export interface CosineSimilarityOptions {
  /** The dimension that holds the vectors. Default -1, the last (PyTorch: 1). */
  readonly axis?: number
  /** Smallest length of a vector. Default 1e-8. */
  readonly eps?: number
}

export interface MarginOptions extends ReductionOptions {
  /** Default 0; of `tripletMargin` and `hingeEmbedding` 1. */
  readonly margin?: number
}

export interface TripletMarginOptions extends MarginOptions {
  /** Distances are p-norms. Default 2. */
  readonly p?: number
  /** Added to each difference. Default 1e-6. */
  readonly eps?: number
  /** Use the distance of positive and negative where it is smaller (Balntas et al. 2016). Default false. */
  readonly swap?: boolean
}

export interface InfoNceOptions {
  /** Divides the similarities. Default 0.07. */
  readonly temperature?: number
  /** Also find the query for each key, and take the mean of both, as CLIP does. Default false. */
  readonly symmetric?: boolean
}

/** a·b / (|a| |b|) along a dimension. @throws NnError SHAPE_MISMATCH */
export function cosineSimilarity(a: Tensor, b: Tensor, options: CosineSimilarityOptions = {}): Tensor {
  const { axis = -1, eps = 1e-8 } = optionsOf('losses.cosineSimilarity', options, 'axis: 1')
  expectAlike('cosineSimilarity', a, b)
  return a
    .mul(b)
    .sum(axis)
    .div(lengthOf(a, axis, eps).mul(lengthOf(b, axis, eps)))
}

/**
 * For pairs of vectors [..., dim]: 1 − cos where the target [...] is 1, max(0, cos − margin) where it is −1.
 * @throws NnError SHAPE_MISMATCH
 */
export function cosineEmbedding(a: Tensor, b: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { margin = 0, reduction } = optionsOf('losses.cosineEmbedding', options, "reduction: 'sum'")
  const cosine = cosineSimilarity(a, b)
  expectAlike('cosineEmbedding', cosine, target)
  return reduced(target.greater(0).where(cosine.neg().add(1), cosine.sub(margin).relu()), reduction)
}

/** max(0, |anchor − positive| − |anchor − negative| + margin) for vectors [..., dim]. @throws NnError SHAPE_MISMATCH */
export function tripletMargin(anchor: Tensor, positive: Tensor, negative: Tensor, options: TripletMarginOptions = {}): Tensor {
  const {
    margin = 1,
    p = 2,
    eps = 1e-6,
    swap = false,
    reduction,
  } = optionsOf('losses.tripletMargin', options, "reduction: 'sum'")
  expectAlike('tripletMargin', positive, anchor)
  expectAlike('tripletMargin', negative, anchor)
  const near = distanceOf(anchor, positive, p, eps)
  const direct = distanceOf(anchor, negative, p, eps)
  const far = swap ? direct.minimum(distanceOf(positive, negative, p, eps)) : direct
  return reduced(near.sub(far).add(margin).relu(), reduction)
}

/** max(0, −target·(a − b) + margin): a should be the larger where the target is 1, b where it is −1. @throws NnError SHAPE_MISMATCH */
export function marginRanking(a: Tensor, b: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { margin = 0, reduction } = optionsOf('losses.marginRanking', options, "reduction: 'sum'")
  expectAlike('marginRanking', a, b)
  expectAlike('marginRanking', a, target)
  return reduced(b.sub(a).mul(target).add(margin).relu(), reduction)
}

/** The output, a distance, where the target is 1; max(0, margin − output) where it is −1. @throws NnError SHAPE_MISMATCH */
export function hingeEmbedding(output: Tensor, target: Tensor, options: MarginOptions = {}): Tensor {
  const { margin = 1, reduction } = optionsOf('losses.hingeEmbedding', options, "reduction: 'sum'")
  expectAlike('hingeEmbedding', output, target)
  return reduced(target.greater(0).where(output, output.neg().add(margin).relu()), reduction)
}

/**
 * InfoNCE (van den Oord et al. 2018): of the keys [n, dim], each query [n, dim] should find the one of its own row, by cosine;
 * the other rows are its negatives. @throws NnError SHAPE_MISMATCH
 */
export function infoNce(queries: Tensor, keys: Tensor, options: InfoNceOptions = {}): Tensor {
  const { temperature = 0.07, symmetric = false } = optionsOf('losses.infoNce', options, 'temperature: 0.1')
  expectAlike('infoNce', queries, keys)
  if (queries.rank !== 2 || typeof queries.shape[0] !== 'number')
    throw new NnError('SHAPE_MISMATCH', `losses.infoNce compares vectors [n, dim] of a fixed n, given ${show(queries.shape)}.`)
  const count = queries.shape[0]
  const own = queries.builder.constant([...Array(count).keys()], [count], 'i64')
  const [q, k] = [queries, keys].map((x) => x.div(lengthOf(x, -1, 1e-8, true))) as [Tensor, Tensor]
  const similarities = q.matmul(k, { transB: true, alpha: 1 / temperature })
  const forth = crossEntropy(similarities, own)
  return symmetric ? forth.add(crossEntropy(similarities.transpose(), own)).mul(0.5) : forth
}

const show = (shape: Dims) => `[${shape.join(', ')}]`

/** Euclidean length of at least eps; the root is taken of that at least, for a root has no derivative at 0. */
const lengthOf = (x: Tensor, axis: number, eps: number, keepDims = false) =>
  x
    .mul(x)
    .sum(axis, { keepDims })
    .maximum(eps * eps)
    .sqrt()

function distanceOf(a: Tensor, b: Tensor, p: number, eps: number): Tensor {
  const difference = a.sub(b).add(eps)
  if (p === 2) return difference.mul(difference).sum(-1).sqrt()
  const size = difference.abs()
  return p === 1
    ? size.sum(-1)
    : size
        .pow(p)
        .sum(-1)
        .pow(1 / p)
}
