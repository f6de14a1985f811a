import { nd, softmax, sum } from '../nd.js'
import type { References } from './cases.js'

export const losses: References = {
  crossEntropy: {
    value: ([logits, targets], { ignoreIndex }) => {
      const probabilities = softmax(logits!, 1)
      const rows = [...targets!.data].flatMap((target, row) =>
        target === ignoreIndex ? [] : [-Math.log(probabilities.data[row * logits!.shape[1]! + target]!)],
      )
      return nd([], () => sum(rows) / Math.max(1, rows.length))
    },
    cases: [
      { shapes: [[1, 3], [1]], attributes: { ignoreIndex: -100 } },
      { shapes: [[4, 5], [4]], attributes: { ignoreIndex: -100 } },
      { shapes: [[6, 2], [6]], attributes: { ignoreIndex: 1 } },
      { shapes: [[3, 1], [3]], attributes: { ignoreIndex: -100 } },
      { shapes: [[5, 4], [5]], attributes: { ignoreIndex: 0 } },
    ],
    integers: { 1: ([logits]) => logits![1]! },
    terms: ([logits]) => logits![0]! * logits![1]!,
  },
}
