import { normalizeAxis, shapeError } from '../ops/define.js'
import type { Tensor } from '../tensor.js'
import { concat } from './joining.js'

/** Shifts along dimensions; what leaves at one end comes in at the other. */
export function roll(x: Tensor, shifts: number | readonly number[], axes: number | readonly number[]): Tensor {
  const [amounts, dims] = [[shifts].flat() as number[], [axes].flat() as number[]]
  if (amounts.length !== dims.length)
    throw shapeError('roll', `${amounts.length} shifts for ${dims.length} dimensions`, [x.shape])
  return dims.reduce((current, axis, i) => {
    const at = normalizeAxis('roll', axis, x.shape)
    const size = x.shape[at] as number
    const cut = size === 0 ? 0 : ((-amounts[i]! % size) + size) % size
    return cut === 0 ? current : concat([current.slice(at, cut, size), current.slice(at, 0, cut)], at)
  }, x)
}

/** The whole tensor `counts[i]` times along dimension i; more counts than dimensions add leading ones. As `Tensor.repeat`. */
export function repeat(x: Tensor, counts: readonly number[]): Tensor {
  const lead = counts.length - x.rank
  if (lead < 0) throw shapeError('repeat', `needs a count for each dimension, got [${counts.join(', ')}]`, [x.shape])
  const sizes = counts.map((_, axis) => (axis < lead ? 1 : (x.shape[axis - lead] as number)))
  const copies = sizes.flatMap((size, axis) => [counts[axis]!, size])
  const singles = sizes.flatMap((size) => [1, size])
  return x
    .reshape(singles)
    .broadcastTo(copies)
    .reshape(sizes.map((size, axis) => size * counts[axis]!))
}

/** As `repeat`, where missing leading counts are 1. */
export function tile(x: Tensor, counts: readonly number[]): Tensor {
  return repeat(x, [...Array.from({ length: Math.max(0, x.rank - counts.length) }, () => 1), ...counts])
}

/** Each element (or slice along `axis`) `count` times in a row; without an axis, of the flattened tensor. */
export function repeatInterleave(x: Tensor, count: number, axis?: number): Tensor {
  if (axis === undefined) return repeatInterleave(x.flatten(), count, 0)
  const at = normalizeAxis('repeatInterleave', axis, x.shape)
  const sizes = x.shape as readonly number[]
  return x
    .unsqueeze(at + 1)
    .broadcastTo([...sizes.slice(0, at + 1), count, ...sizes.slice(at + 1)])
    .flatten(at, at + 1)
}

/** The diagonal of matrices as a last dimension; `offset` > 0 lies above the main one. As `torch.diagonal`. */
export function diagonal(x: Tensor, offset = 0, axis1 = 0, axis2 = 1): Tensor {
  const [first, second] = [normalizeAxis('diagonal', axis1, x.shape), normalizeAxis('diagonal', axis2, x.shape)]
  if (first === second) throw shapeError('diagonal', 'needs two different dimensions', [x.shape])
  const rest = x.shape.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second)
  const [rows, columns] = [x.shape[first] as number, x.shape[second] as number]
  const length = Math.max(0, Math.min(offset < 0 ? rows + offset : rows, offset > 0 ? columns - offset : columns))
  const start = length === 0 ? 0 : offset >= 0 ? offset : -offset * columns
  const flat = x.permute([...rest, first, second]).flatten(-2, -1)
  return flat.slice(-1, start, length === 0 ? start : start + (length - 1) * (columns + 1) + 1, columns + 1)
}

/** The product of each element of a vector with each of another: [n] and [m] give [n, m]. */
export function outer(a: Tensor, b: Tensor): Tensor {
  if (a.rank !== 1 || b.rank !== 1) throw shapeError('outer', 'expected two vectors', [a.shape, b.shape])
  return a.unsqueeze(1).mul(b)
}

/** Products of matrices in a batch: [B, N, M] and [B, M, P] give [B, N, P]; nothing broadcasts. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  if (a.rank !== 3 || b.rank !== 3 || a.shape[0] !== b.shape[0])
    throw shapeError('bmm', 'expected [B, N, M] and [B, M, P]', [a.shape, b.shape])
  return a.matmul(b)
}
