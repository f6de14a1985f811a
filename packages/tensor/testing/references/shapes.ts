import { at, nd, sum } from '../nd.js'
import type { References } from './cases.js'

export const shapes: References = {
  reshape: {
    value: ([x], { symbols }) => {
      const target = JSON.parse(symbols as string) as number[]
      const known = target.reduce((size, dim) => (dim === -1 ? size : size * dim), 1)
      return { shape: target.map((dim) => (dim === -1 ? x!.data.length / known : dim)), data: x!.data }
    },
    cases: [
      { shapes: [[]], attributes: { shape: [1, 1], symbols: '[1,1]' } },
      { shapes: [[6]], attributes: { shape: [2, -1], symbols: '[2,-1]' } },
      { shapes: [[2, 3]], attributes: { shape: [3, 2], symbols: '[3,2]' } },
      { shapes: [[0, 3]], attributes: { shape: [3, 0], symbols: '[3,0]' } },
      { shapes: [[1, 4, 1]], attributes: { shape: [4], symbols: '[4]' } },
    ],
  },
  transpose: {
    value: ([x], { order }) => {
      const axes = order as readonly number[]
      return nd(
        axes.map((axis) => x!.shape[axis]!),
        (index) => {
          const source: number[] = []
          axes.forEach((axis, to) => {
            source[axis] = index[to]!
          })
          return at(x!, source)
        },
      )
    },
    cases: [
      { shapes: [[3]], attributes: { order: [0] } },
      { shapes: [[2, 3]], attributes: { order: [1, 0] } },
      { shapes: [[2, 3, 4]], attributes: { order: [2, 0, 1] } },
      { shapes: [[2, 1, 3, 2]], attributes: { order: [0, 2, 1, 3] } },
      { shapes: [[0, 2]], attributes: { order: [1, 0] } },
      { shapes: [[]], attributes: { order: [] } },
    ],
  },
  broadcastTo: {
    value: ([x], { shape }) => nd(shape as readonly number[], (index) => at(x!, index)),
    cases: [
      { shapes: [[]], attributes: { shape: [2, 3] } },
      { shapes: [[3]], attributes: { shape: [2, 3] } },
      { shapes: [[2, 1]], attributes: { shape: [2, 4] } },
      { shapes: [[1, 3]], attributes: { shape: [0, 3] } },
      { shapes: [[1]], attributes: { shape: [0] } },
      { shapes: [[2, 3]], attributes: { shape: [2, 3] } },
      { shapes: [[2, 1]], attributes: { shape: [2, 0] } },
    ],
  },
  split: {
    value: ([x], { sizes, axis }) => {
      const along = (axis as number) < 0 ? (axis as number) + x!.shape.length : (axis as number)
      const first = (sizes as readonly number[])[0]!
      return nd(
        x!.shape.map((dim, index) => (index === along ? first : dim)),
        (index) => at(x!, index),
      )
    },
    cases: [
      { shapes: [[5]], attributes: { sizes: [2, 3], axis: 0 } },
      { shapes: [[2, 6]], attributes: { sizes: [1, 2, 3], axis: -1 } },
      { shapes: [[4, 2]], attributes: { sizes: [3, 1], axis: 0 } },
      { shapes: [[3, 2]], attributes: { sizes: [2], axis: 1 } },
      { shapes: [[0, 4]], attributes: { sizes: [1, 3], axis: 1 } },
      { shapes: [[3, 1]], attributes: { sizes: [0, 3], axis: 0 } },
      { shapes: [[2, 3, 2]], attributes: { sizes: [2, 1], axis: 1 } },
    ],
  },
  concat: {
    value: (inputs, { axis }) => {
      const rank = inputs[0]!.shape.length
      const along = (axis as number) < 0 ? (axis as number) + rank : (axis as number)
      const shape = inputs[0]!.shape.map((size, index) => (index === along ? sum(inputs.map((x) => x.shape[along]!)) : size))
      return nd(shape, (index) => {
        let position = index[along]!
        for (const x of inputs) {
          if (position < x.shape[along]!)
            return at(
              nd(x.shape, (i) => at(x, i)),
              index.map((i, a) => (a === along ? position : i)),
            )
          position -= x.shape[along]!
        }
        throw new Error('unreachable')
      })
    },
    cases: [
      { shapes: [[2], [3]], attributes: { axis: 0 } },
      {
        shapes: [
          [2, 2],
          [2, 3],
          [2, 2],
        ],
        attributes: { axis: -1 },
      },
      {
        shapes: [
          [2, 3],
          [4, 3],
        ],
        attributes: { axis: 0 },
      },
      { shapes: [[3, 2]], attributes: { axis: 1 } },
      {
        shapes: [
          [0, 2],
          [0, 1],
        ],
        attributes: { axis: 1 },
      },
      {
        shapes: [
          [1, 1],
          [1, 1],
        ],
        attributes: { axis: 0 },
      },
      {
        shapes: [
          [0, 2],
          [3, 2],
        ],
        attributes: { axis: 0 },
      },
    ],
  },
}
