import type { Dims } from '@enigma/tensor'
import type { ShapePattern } from './layer-metadata.js'

const rest = '...'

/** `[..., inFeatures = 512]`: a pattern with what its names stand for. */
export function showPattern(pattern: ShapePattern, values: Readonly<Record<string, unknown>>): string {
  const sizes = pattern.map((size) => (typeof values[size] === 'number' ? `${size} = ${values[size]}` : size))
  return `[${sizes.join(', ')}]`
}

/** The size of a sample that stands at each place of the pattern, undefined for those of `'...'`; undefined when the ranks differ. */
function align(
  pattern: ShapePattern,
  sample: Dims,
): { readonly wanted: number | string; readonly size: Dims[number] }[] | undefined {
  const hole = pattern.indexOf(rest)
  if (hole < 0 ? pattern.length !== sample.length : sample.length < pattern.length - 1) return undefined
  return pattern.flatMap((wanted, index) => {
    if (index === hole) return []
    const at = hole >= 0 && index > hole ? sample.length - pattern.length + index : index
    return [{ wanted, size: sample[at]! }]
  })
}

/** Whether a sample of this shape fits a pattern whose names stand for `values`. */
export function fits(pattern: ShapePattern, sample: Dims, values: Readonly<Record<string, unknown>>): boolean {
  const pairs = align(pattern, sample)
  return (
    pairs?.every(({ wanted, size }) => {
      const value = typeof wanted === 'number' ? wanted : values[wanted]
      return typeof value !== 'number' || value === size
    }) ?? false
  )
}

/** What the names of a pattern are for a sample of this shape. */
export function namesOf(pattern: ShapePattern, sample: Dims): Readonly<Record<string, number>> {
  const pairs = align(pattern, sample) ?? []
  return Object.fromEntries(
    pairs.flatMap(({ wanted, size }) => (typeof wanted === 'string' && typeof size === 'number' ? [[wanted, size]] : [])),
  )
}
