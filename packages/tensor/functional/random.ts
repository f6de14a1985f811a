import type { Builder } from '../builder.js'
import { TensorError } from '../errors.js'
import type { Dims, RandomSource } from '../program.js'
import type { Tensor } from '../tensor.js'

/**
 * Random tensors are inputs that the runtime fills on every run: a training step with fresh numbers under its seed, `run` and
 * `evaluate` with those of their option `seed`. No gradient flows into them.
 */

export interface UniformOptions {
  /** Default 0. */
  readonly low?: number
  /** Never reached. Default 1. */
  readonly high?: number
}

export interface NormalOptions {
  /** Default 0. */
  readonly mean?: number
  /** Standard deviation. Default 1. */
  readonly std?: number
}

const uniform = ({ low = 0, high = 1 }: UniformOptions): RandomSource => ({ kind: 'uniform', low, high })
const normal = ({ mean = 0, std = 1 }: NormalOptions): RandomSource => ({ kind: 'normal', mean, deviation: std })

/** Uniform in [low, high). */
export const rand = (builder: Builder, shape: Dims, options: UniformOptions = {}): Tensor =>
  builder.random(uniform(options), shape)
/** `rand` in the shape of x. */
export const randLike = (x: Tensor, options: UniformOptions = {}): Tensor => rand(x.builder, x.shape, options)

/** Normally distributed. */
export const randn = (builder: Builder, shape: Dims, options: NormalOptions = {}): Tensor =>
  builder.random(normal(options), shape)
/** `randn` in the shape of x. */
export const randnLike = (x: Tensor, options: NormalOptions = {}): Tensor => randn(x.builder, x.shape, options)

/** Integers (i64) from low to high - 1, of which there may be 2²⁴: more than f32 can tell apart would be uneven. */
export function randint(builder: Builder, low: number, high: number, shape: Dims): Tensor {
  const count = high - low
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && count >= 1 && count <= 2 ** 24))
    throw new TensorError('INVALID_ARGUMENT', `randint: low and high must be integers 1 to 2^24 apart, given ${low} and ${high}.`)
  return rand(builder, shape).mul(count).floor().cast('i64').add(low)
}

/** Zeroes elements with probability `p` and scales the rest by 1/(1-p), while training; the identity otherwise. */
export function dropout(x: Tensor, p: number): Tensor {
  if (!x.builder.training || p === 0) return x
  return x.mul(x.builder.random({ kind: 'bernoulli', p }, x.shape))
}
