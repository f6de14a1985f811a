import { normalizeAxis } from '../ops/define.js'
import type { Tensor } from '../tensor.js'

export interface CumprodOptions {
  /** Products of the elements before each, without itself. Default false. */
  readonly exclusive?: boolean
  /** From the end. Default false. */
  readonly reverse?: boolean
}

/**
 * Products of the elements up to each along `axis`, as `torch.cumprod`: log₂ n products of shifted copies (Hillis and Steele
 * 1986), whose derivative is right also at zeros. The size of the dimension must be known.
 */
export function cumprod(x: Tensor, axis: number, { exclusive = false, reverse = false }: CumprodOptions = {}): Tensor {
  const at = normalizeAxis('cumprod', axis, x.shape)
  const size = x.shape[at] as number
  const shifted = (y: Tensor, by: number) => {
    const first = y.slice(at, 0, by)
    const ones = first.equal(first).where(1, 1) // of its shape, whose other sizes may be symbols
    const pieces = reverse ? [y.slice(at, by, size), ones] : [ones, y.slice(at, 0, size - by)]
    return x.builder.apply('concat', pieces, { axis: at })[0]!
  }
  let result = exclusive && size > 0 ? shifted(x, 1) : x
  for (let step = 1; step < size; step *= 2) result = result.mul(shifted(result, step))
  return result
}
