import { nd } from '../nd.js'
import type { OpCase, References } from './cases.js'

const top = (shape: number[], axis: number, k: number, largest: boolean): OpCase => ({
  shapes: [shape],
  attributes: { axis, k, largest },
})

export const sorting: References = {
  topK: {
    value: ([x], { axis, k, largest }) => {
      const along = axis as number
      const shape = x!.shape.map((size, a) => (a === along ? (k as number) : size))
      return nd(shape, (index) => {
        const line = Array.from({ length: x!.shape[along]! }, (_, i) => {
          const place = index.map((j, a) => (a === along ? i : j))
          return x!.data[place.reduce((flat, j, a) => flat * x!.shape[a]! + j, 0)]!
        })
        return line.sort((a, b) => (largest ? b - a : a - b))[index[along]!]!
      })
    },
    cases: [
      top([5], 0, 2, true),
      top([2, 4], 1, 4, false),
      top([3, 4, 2], 1, 3, true),
      top([4, 3], 0, 1, false),
      top([0, 3], 1, 2, true),
      top([2, 3], 1, 0, true),
      top([1, 1], 1, 1, true),
    ],
  },
}
