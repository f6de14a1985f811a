import type { Tensor } from '../tensor.js'

/** Zeroes elements with probability `p` and scales the rest by 1/(1-p), while training; the identity otherwise. */
export function dropout(x: Tensor, p: number): Tensor {
  if (!x.builder.training || p === 0) return x
  return x.mul(x.builder.random({ kind: 'bernoulli', p }, x.shape))
}
