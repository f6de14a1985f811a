import type { OpName } from '../../ops/index.js'
import type { Attributes } from '../../program.js'
import { map, type Nd } from '../nd.js'

/** One way of calling an op: shapes of its inputs (a `range` for integer inputs) and its attributes. */
export interface OpCase {
  readonly shapes: readonly (readonly number[])[]
  readonly attributes?: Attributes
}

export interface OpReference {
  /** First output in float64. */
  readonly value: (inputs: readonly Nd[], attributes: Attributes) => Nd
  readonly cases: readonly OpCase[]
  /** Real inputs are drawn from this interval. Default [-2, 2]. */
  readonly domain?: readonly [number, number]
  /** Inputs that are integers below a bound, by position. */
  readonly integers?: Readonly<Record<number, (shapes: readonly (readonly number[])[]) => number>>
  /** Inputs that are booleans, by position. */
  readonly booleans?: readonly number[]
  /** Terms summed for one element of the result, for the error bound 1e-6·√K. Default 1. */
  readonly terms?: (shapes: readonly (readonly number[])[]) => number
  /** Inputs that are tables by definition, by position: no gradient flows into them. */
  readonly tables?: readonly number[]
  /** Why no derivative is checked. */
  readonly notDifferentiable?: string
}

/** The references of a group of ops; `index.ts` joins the groups. */
export type References = Readonly<Partial<Record<OpName, OpReference>>>

const pairs: readonly OpCase[] = [
  { shapes: [[], []] },
  { shapes: [[5], [5]] },
  { shapes: [[2, 3], [3]] },
  {
    shapes: [
      [2, 1, 4],
      [3, 1],
    ],
  },
  {
    shapes: [
      [0, 3],
      [1, 3],
    ],
  },
  { shapes: [[1], [4, 1]] },
  {
    shapes: [
      [2, 0],
      [1, 1],
    ],
  },
]
export const singles: readonly OpCase[] = [
  { shapes: [[]] },
  { shapes: [[7]] },
  { shapes: [[2, 3]] },
  { shapes: [[0, 4]] },
  { shapes: [[1, 1, 5]] },
]

/** An op of two tensors that broadcast. */
export const binary = (f: (a: number, b: number) => number, extra: Partial<OpReference> = {}): OpReference => ({
  value: ([a, b]) => map(f as (...values: number[]) => number, a!, b!),
  cases: pairs,
  ...extra,
})
/** An op of each element by itself. */
export const unary = (f: (x: number) => number, extra: Partial<OpReference> = {}): OpReference => ({
  value: ([x]) => map(f as (...values: number[]) => number, x!),
  cases: singles,
  ...extra,
})
export const reductionCases: readonly OpCase[] = [
  { shapes: [[4]], attributes: { axes: [0], keepDims: false } },
  { shapes: [[2, 3]], attributes: { axes: [1], keepDims: true } },
  { shapes: [[2, 3, 4]], attributes: { axes: [0, 2], keepDims: false } },
  { shapes: [[1, 5]], attributes: { axes: [0, 1], keepDims: false } },
  { shapes: [[2, 3]], attributes: { axes: [], keepDims: false } },
  { shapes: [[0, 3]], attributes: { axes: [1], keepDims: false } },
]
export const axisCases: readonly OpCase[] = [
  { shapes: [[6]], attributes: { axis: -1 } },
  { shapes: [[2, 3]], attributes: { axis: 1 } },
  { shapes: [[2, 3, 4]], attributes: { axis: -1 } },
  { shapes: [[4, 1]], attributes: { axis: -1 } },
  { shapes: [[0, 3]], attributes: { axis: -1 } },
]
export const sizeAlong = (shapes: readonly (readonly number[])[]) =>
  shapes[0]!.reduce((product, size) => product * Math.max(1, size), 1)
