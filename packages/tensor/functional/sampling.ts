import type { Builder } from '../builder.js'
import { TensorError } from '../errors.js'
import { expectDtype, fixed, shapeError } from '../ops/define.js'
import type { Tensor } from '../tensor.js'
import { rand, randLike } from './random.js'

/** Choices by chance. The chances come from random tensors, so their seeds are those of `rand`; no gradient flows. */

export interface MultinomialOptions {
  /** Whether an index may come more than once in a row. Default false, as in PyTorch. */
  readonly replacement?: boolean
}

/** The next number below 1 in steps that every f32 sum has: times a total it is less than the total, however it is rounded. */
const belowOne = 1 - 2 ** -23

/**
 * `count` indices (i64) into the last dimension of `weights` [..., n] by chance, each as likely as its weight: [..., count], as
 * `torch.multinomial`. Weights are f32, at least 0, and need not add up to 1. Without replacement a row needs `count` weights above
 * 0: indices whose weight is 0 come after all others. Memory: count · n bytes a row with replacement.
 * @throws TensorError INVALID_ARGUMENT for a count that is no positive integer, SHAPE_MISMATCH for more than n without replacement
 */
export function multinomial(weights: Tensor, count: number, { replacement = false }: MultinomialOptions = {}): Tensor {
  expectDtype('multinomial', weights, 'f32')
  if (!(Number.isInteger(count) && count >= 1))
    throw new TensorError('INVALID_ARGUMENT', `multinomial: the number of samples must be a positive integer, given ${count}.`)
  const size = fixed('multinomial', weights.shape.slice(-1))[0]
  if (size === undefined || size === 0) throw shapeError('multinomial', 'needs a last dimension of weights', [weights.shape])
  if (replacement) return independent(weights, count)
  if (count > size) throw shapeError('multinomial', `cannot choose ${count} of ${size} without replacement`, [weights.shape])
  return race(weights).topK(count).indices
}

/** Arrivals of exponential clocks, the earliest largest: their order is one of drawing without replacement (Efraimidis & Spirakis 2006). */
function race(weights: Tensor): Tensor {
  const waits = randLike(weights).neg().log1p().neg()
  return weights.div(waits.maximum(1e-30))
}

/** The first place where the sum of the weights so far exceeds a random share of the whole. */
function independent(weights: Tensor, count: number): Tensor {
  const lead = weights.shape.slice(0, -1)
  const sums = weights.cumsum(-1)
  const total = sums.slice(-1, -1)
  const thresholds = rand(weights.builder, [...lead, count])
    .mul(belowOne)
    .mul(total)
  return sums.unsqueeze(-2).greater(thresholds.unsqueeze(-1)).cast('u8').argmax(-1)
}

/** 1 with probability `p` (each element's own) and 0 otherwise, as `torch.bernoulli`. */
export const bernoulli = (p: Tensor): Tensor => randLike(p).less(p).cast('f32')

/** The integers (i64) from 0 to n - 1 in random order, as `torch.randperm`. */
export const randperm = (builder: Builder, n: number): Tensor => rand(builder, [n]).argsort(0)
