import type { ReduceOptions, Tensor } from '../tensor.js'

type Axes = number | readonly number[]

export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of elements: 1 (the default, as in `torch.var`) for a sample, 0 for a population. */
  readonly correction?: number
}

/** Σ (x - mean)² / (n - correction) over `axes` (default: all), as `torch.var`. Sizes of these dimensions must be known. */
export function variance(x: Tensor, axes?: Axes, { correction = 1, keepDims = false }: VarianceOptions = {}): Tensor {
  const squares = x.sub(x.mean(axes, { keepDims: true })).square()
  const total = squares.sum(axes, { keepDims })
  const reduced = axes === undefined ? x.shape.keys() : [axes].flat()
  let count = 1
  for (const axis of reduced) count *= x.shape.at(axis) as number
  return total.div(Math.max(0, count - correction))
}

/** √variance, as `torch.std`; derivative 0 where the variance is 0. */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  return rootOf(variance(x, axes, options), 0.5)
}

export interface NormOptions extends ReduceOptions {
  /** Default 2. 0 counts what is not zero; ±Infinity is the largest or smallest magnitude. */
  readonly p?: number
}

/**
 * (Σ |x|^p)^(1/p) over `axes` (default: all), as `torch.linalg.vector_norm`; derivative 0 where the norm is 0,
 * and, for p < 1, by elements that are 0.
 */
export function norm(x: Tensor, axes?: Axes, { p = 2, ...options }: NormOptions = {}): Tensor {
  if (p === Number.POSITIVE_INFINITY) return x.abs().max(axes, options)
  if (p === Number.NEGATIVE_INFINITY) return x.abs().min(axes, options)
  if (p === 0) return x.countNonzero(axes, options).cast('f32')
  if (p === 1) return x.abs().sum(axes, options)
  if (p === 2) return rootOf(x.square().sum(axes, options), 0.5)
  const powers = p < 1 ? rootOf(x.abs(), p) : x.abs().pow(p)
  return rootOf(powers.sum(axes, options), 1 / p)
}

/** x^exponent for x ≥ 0, with derivative 0 at 0, where the power's own is infinite. */
function rootOf(x: Tensor, exponent: number): Tensor {
  const zero = x.equal(0)
  const safe = zero.where(1, x)
  return zero.where(exponent > 0 ? 0 : Number.POSITIVE_INFINITY, exponent === 0.5 ? safe.sqrt() : safe.pow(exponent))
}
