import { TensorError } from '../errors.js'

/** One number for all spatial dimensions, or one for each. */
export type PerDimension = number | readonly number[]

/** `value` for each of `count` dimensions. @throws TensorError SHAPE_MISMATCH for a wrong count or a number out of range */
export function perDimension(op: string, name: string, value: PerDimension, count: number, least: number): number[] {
  const list = typeof value === 'number' ? Array.from({ length: count }, () => value) : [...value]
  if (list.length !== count || list.some((item) => !Number.isInteger(item) || item < least))
    throw new TensorError(
      'SHAPE_MISMATCH',
      `${op}: ${name} must be a whole number of at least ${least}, or ${count} of them; got ${JSON.stringify(value)}.`,
    )
  return list
}
