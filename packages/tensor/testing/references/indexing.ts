import { at, type Nd, nd } from '../nd.js'
import type { OpCase, References } from './cases.js'

const along = (axis: number, ...shapes: number[][]): OpCase => ({ shapes, attributes: { axis } })
const smallest = ([x]: readonly (readonly number[])[]) => Math.min(...x!)

/** Where element `index` of `picks` points to in x, as a flat index. */
function target(x: Nd, index: readonly number[], axis: number, picks: Nd): number {
  const place = index.map((i, a) => (a === axis ? exactly(picks, index) : i))
  return place.reduce((flat, i, a) => flat * x.shape[a]! + i, 0)
}

/** Without broadcasting of size-1 dimensions. */
const exactly = (x: Nd, index: readonly number[]) => x.data[index.reduce((flat, i, a) => flat * x.shape[a]! + i, 0)]!

const pickAlong = (x: Nd, index: readonly number[], axis: number, picks: Nd) => x.data[target(x, index, axis, picks)]!

function scattered(x: Nd, picks: Nd, source: Nd, axis: number, merge: (old: number, value: number) => number): Nd {
  const data = Float64Array.from(x.data)
  nd(picks.shape, (index) => {
    const flat = target(x, index, axis, picks)
    data[flat] = merge(data[flat]!, exactly(source, index))
    return 0
  })
  return { shape: x.shape, data }
}

export const indexing: References = {
  gatherRows: {
    value: ([x, rows]) =>
      nd([...rows!.shape, ...x!.shape.slice(1)], (index) =>
        at(
          nd(x!.shape, (i) => at(x!, i)),
          [at(rows!, index.slice(0, rows!.shape.length)), ...index.slice(rows!.shape.length)],
        ),
      ),
    cases: [
      { shapes: [[4, 3], [2]] },
      {
        shapes: [
          [4, 3],
          [2, 2],
        ],
      },
      { shapes: [[5], [3]] },
      { shapes: [[3, 2], [0]] },
      { shapes: [[1, 2], [4]] },
      { shapes: [[3, 0], [2]] },
    ],
    integers: { 1: ([x]) => x![0]! },
  },
  scatterAddRows: {
    value: ([x, rows, updates]) => {
      const result = Float64Array.from(x!.data)
      const width = x!.data.length / x!.shape[0]!
      rows!.data.forEach((row, position) => {
        for (let i = 0; i < width; i++) result[row * width + i]! += updates!.data[position * width + i]!
      })
      return { shape: x!.shape, data: result }
    },
    cases: [
      { shapes: [[4, 3], [2], [2, 3]] },
      { shapes: [[2, 3], [6], [6, 3]] },
      {
        shapes: [
          [3, 2],
          [2, 2],
          [2, 2, 2],
        ],
      },
      { shapes: [[5], [3], [3]] },
      { shapes: [[1, 2], [4], [4, 2]] },
      { shapes: [[2, 3], [0], [0, 3]] },
      { shapes: [[2, 0], [3], [3, 0]] },
    ],
    integers: { 1: ([x]) => x![0]! },
    terms: () => 6,
  },
  indexSelect: {
    value: ([x, picks], { axis }) => {
      const along = (axis as number) < 0 ? (axis as number) + x!.shape.length : (axis as number)
      const shape = x!.shape.map((size, index) => (index === along ? picks!.shape[0]! : size))
      return nd(shape, (index) =>
        at(
          nd(x!.shape, (i) => at(x!, i)),
          index.map((i, a) => (a === along ? picks!.data[i]! : i)),
        ),
      )
    },
    cases: [
      { shapes: [[4], [3]], attributes: { axis: 0 } },
      { shapes: [[2, 3], [2]], attributes: { axis: 1 } },
      { shapes: [[3, 2, 2], [4]], attributes: { axis: 1 } },
      { shapes: [[2, 3, 4], [1]], attributes: { axis: 2 } },
      { shapes: [[2, 2], [0]], attributes: { axis: 0 } },
      { shapes: [[0, 2], [3]], attributes: { axis: 1 } },
      { shapes: [[1, 1], [2]], attributes: { axis: -1 } },
    ],
    integers: { 1: (shapes) => Math.max(1, Math.min(...shapes[0]!)) },
  },
  gather: {
    value: ([x, picks], { axis }) => nd(picks!.shape, (index) => pickAlong(x!, index, axis as number, picks!)),
    cases: [
      { shapes: [[5], [2]], attributes: { axis: 0 } },
      along(1, [2, 4], [2, 1]),
      along(0, [2, 3], [5, 3]),
      along(1, [2, 3, 2], [1, 4, 2]),
      along(2, [2, 2, 3], [2, 2, 2]),
      along(0, [1, 1], [3, 1]),
      along(1, [2, 3], [2, 0]),
      along(0, [3, 0], [2, 0]),
    ],
    integers: { 1: smallest },
  },
  scatter: {
    value: ([x, picks, source], { axis }) => scattered(x!, picks!, source!, axis as number, (_, value) => value),
    // One index in each line, so that none comes twice.
    cases: [
      { shapes: [[5], [1], [1]], attributes: { axis: 0 } },
      along(1, [2, 4], [2, 1], [2, 1]),
      along(0, [3, 3], [1, 2], [1, 2]),
      along(1, [2, 3, 2], [2, 1, 2], [2, 1, 2]),
      along(0, [1, 1], [1, 1], [1, 1]),
      along(1, [2, 3], [2, 0], [2, 0]),
    ],
    integers: { 1: smallest },
  },
  scatterAdd: {
    value: ([x, picks, source], { axis }) => scattered(x!, picks!, source!, axis as number, (old, value) => old + value),
    cases: [
      { shapes: [[5], [7], [7]], attributes: { axis: 0 } },
      along(1, [2, 4], [2, 1], [2, 1]),
      along(0, [2, 3], [5, 2], [5, 2]),
      along(1, [2, 3, 2], [1, 4, 2], [1, 4, 2]),
      along(1, [1, 1], [1, 3], [1, 3]),
      along(1, [2, 3], [2, 0], [2, 0]),
    ],
    integers: { 1: smallest },
    terms: () => 7,
  },
}
