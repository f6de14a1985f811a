import { sizeOf } from '../dtype.js'

/** A float64 array with a shape: what the ops' reference implementations compute on. Slow and plain on purpose. */
export interface Nd {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export const nd = (shape: readonly number[], fill: (index: readonly number[]) => number): Nd => {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, flat) => fill(unravel(flat, shape)))
  return { shape, data }
}

function unravel(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length)
  let rest = flat
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!
    rest = Math.floor(rest / shape[axis]!)
  }
  return index
}

/** Element at an index; missing leading dimensions and size-1 dimensions broadcast. */
export function at(x: Nd, index: readonly number[]): number {
  const lead = index.length - x.shape.length
  let flat = 0
  x.shape.forEach((size, axis) => {
    flat = flat * size + (size === 1 ? 0 : index[lead + axis]!)
  })
  return x.data[flat]!
}

const broadcastShape = (...shapes: (readonly number[])[]): number[] => {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) =>
    shapes.reduce((size, shape) => {
      const own = shape[shape.length - rank + axis] ?? 1
      return own === 1 ? size : own
    }, 1),
  )
}

export const map = (f: (...values: number[]) => number, ...inputs: Nd[]): Nd =>
  nd(broadcastShape(...inputs.map((input) => input.shape)), (index) => f(...inputs.map((input) => at(input, index))))

/** Every index of a shape, in row-major order. */
const indices = (shape: readonly number[]): number[][] => Array.from({ length: sizeOf(shape) }, (_, flat) => unravel(flat, shape))

/** Folds over some axes; `keepDims` semantics of reductions. */
export function reduce(x: Nd, axes: readonly number[], keepDims: boolean, fold: (values: number[]) => number): Nd {
  const keptShape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  const groups = new Map<string, number[]>()
  for (const index of indices(keptShape)) groups.set(index.join(), [])
  for (const index of indices(x.shape))
    groups.get(index.map((i, axis) => (axes.includes(axis) ? 0 : i)).join())!.push(at(x, index))
  const result = nd(keptShape, (index) => fold(groups.get(index.join())!))
  return keepDims ? result : { shape: x.shape.filter((_, axis) => !axes.includes(axis)), data: result.data }
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export const transpose = (x: Nd): Nd => {
  const shape = [...x.shape.slice(0, -2), x.shape.at(-1)!, x.shape.at(-2)!]
  return nd(shape, (index) => at(x, [...index.slice(0, -2), index.at(-1)!, index.at(-2)!]))
}

export function matmul(a: Nd, b: Nd, alpha = 1): Nd {
  const lead = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const inner = a.shape.at(-1)!
  return nd([...lead, a.shape.at(-2)!, b.shape.at(-1)!], (index) => {
    const batch = index.slice(0, -2)
    let total = 0
    for (let k = 0; k < inner; k++) total += at(a, [...batch, index.at(-2)!, k]) * at(b, [...batch, k, index.at(-1)!])
    return alpha * total
  })
}

export function softmax(x: Nd, axis: number): Nd {
  const peak = reduce(x, [axis], true, (values) => Math.max(...values))
  const weights = map((value, top) => Math.exp(value - top), x, peak)
  return map((w, total) => w / total, weights, reduce(weights, [axis], true, sum))
}
