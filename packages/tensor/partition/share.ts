import type { Value } from '../program.js'

/**
 * How a value of a program for a whole batch relates to the same value of the program for one of `parts` equal parts of it:
 * - `same`: equal in every part and for the whole.
 * - `cut`: the part's stretch of dimension `axis`. The dimension holds `outer` rows of batches one after the other (`[T·B]` has T):
 *   of each row the part has its stretch. Without `outer` all stretches are alike.
 * - `sum`: the whole's is `scale` times the sum over the parts; `counted` says that parts count by how many of their targets do.
 * - `ratio`: a number that is `ratio` times the part's.
 */
export type Share =
  | { readonly kind: 'same' }
  | Cut
  | { readonly kind: 'sum'; readonly scale: number; readonly counted?: Counted }
  | { readonly kind: 'ratio'; readonly ratio: number }

export interface Cut {
  readonly kind: 'cut'
  readonly axis: number
  readonly outer?: number
}

/** A mean over the elements of a fed tensor that are not `none`. With it parts weigh as much as they have of these, not evenly. */
export interface Counted {
  readonly input: string
  readonly none: number
}

export const same: Share = { kind: 'same' }
export const cutOf = (axis: number, outer?: number): Cut => ({ kind: 'cut', axis, ...(outer !== undefined && { outer }) })

/** The dimension in which a whole is `parts` times as long as a part, all others being equal. */
export function cutAxis(whole: Value, part: Value, parts: number): number | undefined {
  if (whole.dtype !== part.dtype || whole.shape.length !== part.shape.length) return undefined
  const different = whole.shape.flatMap((size, axis) => (size === part.shape[axis] ? [] : [axis]))
  const [axis] = different
  return axis !== undefined && different.length === 1 && whole.shape[axis] === (part.shape[axis] as number) * parts
    ? axis
    : undefined
}

/** Whether a share says no more than the shapes allow. */
export function fits(share: Share, whole: Value, part: Value, parts: number): boolean {
  if (share.kind === 'cut') return cutAxis(whole, part, parts) === share.axis
  return whole.dtype === part.dtype && whole.shape.join() === part.shape.join()
}
