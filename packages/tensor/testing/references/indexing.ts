import { at, nd } from '../nd.js'
import type { References } from './cases.js'

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
    ],
    integers: { 1: ([x]) => x![0]! },
    terms: () => 6,
  },
  indexSelect: {
    value: ([x, picks], { axis }) => {
      const along = axis as number
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
    ],
    integers: { 1: (shapes) => Math.min(...shapes[0]!) },
  },
  takeAlongLast: {
    value: ([x, picks]) =>
      nd(picks!.shape, (index) =>
        at(
          nd(x!.shape, (i) => at(x!, i)),
          [...index.slice(0, -1), at(picks!, index)],
        ),
      ),
    cases: [
      { shapes: [[5], [2]] },
      {
        shapes: [
          [2, 4],
          [2, 1],
        ],
      },
      {
        shapes: [
          [2, 3],
          [2, 5],
        ],
      },
      {
        shapes: [
          [2, 2, 3],
          [2, 2, 2],
        ],
      },
      {
        shapes: [
          [1, 1],
          [1, 3],
        ],
      },
    ],
    integers: { 1: ([x]) => x!.at(-1)! },
  },
  scatterAddLast: {
    value: ([x, picks, updates]) => {
      const result = Float64Array.from(x!.data)
      const [width, count] = [x!.shape.at(-1)!, picks!.shape.at(-1)!]
      picks!.data.forEach((pick, position) => {
        result[Math.floor(position / count) * width + pick]! += updates!.data[position]!
      })
      return { shape: x!.shape, data: result }
    },
    cases: [
      { shapes: [[5], [2], [2]] },
      {
        shapes: [
          [2, 4],
          [2, 1],
          [2, 1],
        ],
      },
      {
        shapes: [
          [2, 3],
          [2, 5],
          [2, 5],
        ],
      },
      {
        shapes: [
          [2, 2, 3],
          [2, 2, 2],
          [2, 2, 2],
        ],
      },
      {
        shapes: [
          [1, 1],
          [1, 3],
          [1, 3],
        ],
      },
    ],
    integers: { 1: ([x]) => x!.at(-1)! },
    terms: () => 6,
  },
}
