import { at, type Nd, nd } from '../nd.js'
import type { OpCase, References } from './cases.js'

/** x read at another index; nothing broadcasts. */
const read = (x: Nd, index: readonly number[]) => x.data[index.reduce((flat, i, axis) => flat * x.shape[axis]! + i, 0)]!
const moved = (index: readonly number[], axis: number, to: (i: number) => number) => index.map((i, a) => (a === axis ? to(i) : i))
const resized = (x: Nd, axis: number, size: number) => x.shape.map((dim, a) => (a === axis ? size : dim))
const range = (shape: number[], axis: number, start: number, end: number, step?: number): OpCase => ({
  shapes: [shape],
  attributes: { axis, start, end, ...(step && { step }) },
})
const padded = (shape: number[], axis: number, before: number, after: number, value?: number): OpCase => ({
  shapes: [shape],
  attributes: { axis, before, after, ...(value && { value }) },
})

export const slicing: References = {
  slice: {
    value: ([x], { axis, start, end, step = 1 }) => {
      const [along, from, by] = [axis as number, start as number, step as number]
      const shape = resized(x!, along, Math.ceil(((end as number) - from) / by))
      return nd(shape, (index) =>
        read(
          x!,
          moved(index, along, (i) => from + by * i),
        ),
      )
    },
    cases: [
      range([5], 0, 1, 4),
      range([2, 5], 1, 0, 2),
      range([4, 3], 0, 3, 4),
      range([2, 3, 4], 2, 1, 3),
      range([3], 0, 2, 2),
      range([7], 0, 1, 7, 2),
      range([2, 9, 2], 1, 0, 8, 3),
      range([2, 3], 1, 2, 2, 4),
      range([0, 3], 1, 0, 3, 2),
      range([1, 1], 1, 0, 1, 5),
    ],
  },
  pad: {
    value: ([x], { axis, before, after, value = 0 }) => {
      const [along, from] = [axis as number, before as number]
      const size = x!.shape[along]!
      return nd(resized(x!, along, size + from + (after as number)), (index) => {
        const inside = index[along]! - from
        return inside < 0 || inside >= size
          ? (value as number)
          : read(
              x!,
              moved(index, along, () => inside),
            )
      })
    },
    cases: [
      padded([2], 0, 1, 2),
      padded([2, 3], 1, 0, 1),
      padded([2, 3], 0, 2, 0, -1.5),
      padded([2, 1, 2], 2, 1, 1),
      padded([3], 0, 0, 0),
      padded([0, 2], 0, 2, 1, 3),
      padded([0, 2], 1, 2, 1),
      padded([1, 1], 1, 2, 1),
    ],
  },
  flip: {
    value: ([x], { axes }) =>
      nd(x!.shape, (index) =>
        read(
          x!,
          index.map((i, axis) => ((axes as readonly number[]).includes(axis) ? x!.shape[axis]! - 1 - i : i)),
        ),
      ),
    cases: [
      { shapes: [[4]], attributes: { axes: [0] } },
      { shapes: [[2, 3]], attributes: { axes: [1] } },
      { shapes: [[2, 3, 2]], attributes: { axes: [0, 2] } },
      { shapes: [[0, 3]], attributes: { axes: [0, 1] } },
      { shapes: [[1, 2]], attributes: { axes: [0] } },
      { shapes: [[2, 2]], attributes: { axes: [] } },
    ],
  },
  triangle: {
    value: ([x], { upper, diagonal }) =>
      nd(x!.shape, (index) => {
        const side = index.at(-1)! - index.at(-2)! - (diagonal as number)
        return (upper ? side >= 0 : side <= 0) ? at(x!, index) : 0
      }),
    cases: [
      { shapes: [[3, 3]], attributes: { upper: true, diagonal: 0 } },
      { shapes: [[3, 4]], attributes: { upper: false, diagonal: 1 } },
      { shapes: [[2, 3, 2]], attributes: { upper: true, diagonal: -1 } },
      { shapes: [[0, 3]], attributes: { upper: false, diagonal: 0 } },
      { shapes: [[2, 0, 3]], attributes: { upper: true, diagonal: 0 } },
      { shapes: [[1, 1]], attributes: { upper: true, diagonal: 1 } },
    ],
  },
}
