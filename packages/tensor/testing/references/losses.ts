import { map, nd, softmax, sum } from '../nd.js'
import type { OpCase, References } from './cases.js'

const alike: readonly OpCase[] = [[], [7], [2, 3], [0, 4], [1, 1, 5]].map((shape) => ({ shapes: [shape, shape] }))
const rows = (count: number, classes: number, labelSmoothing = 0, ignoreIndex = -100): OpCase => ({
  shapes: [[count, classes], [count]],
  attributes: { ignoreIndex, labelSmoothing },
})

export const losses: References = {
  crossEntropy: {
    value: ([logits, targets], { ignoreIndex, labelSmoothing }) => {
      const classes = logits!.shape[1]!
      const smoothing = labelSmoothing as number
      const probabilities = softmax(logits!, 1)
      const losses = [...targets!.data].flatMap((target, row) => {
        if (target === ignoreIndex) return []
        const logs = [...probabilities.data.subarray(row * classes, (row + 1) * classes)].map(Math.log)
        return [-(1 - smoothing) * logs[target]! - (smoothing * sum(logs)) / classes]
      })
      return nd([], () => sum(losses) / Math.max(1, losses.length))
    },
    cases: [
      rows(1, 3),
      rows(4, 5),
      rows(6, 2, 0, 1),
      rows(3, 1),
      rows(5, 4, 0, 0),
      rows(4, 5, 0.1),
      rows(6, 3, 0.3, 1),
      rows(2, 1, 0.5),
      rows(0, 3),
      rows(0, 3, 0.1),
    ],
    integers: { 1: ([logits]) => logits![1]! },
    terms: ([logits]) => logits![0]! * logits![1]!,
  },
  binaryCrossEntropy: {
    value: ([p, target]) => map((p, target) => -(target! * Math.log(p!) + (1 - target!) * Math.log(1 - p!)), p!, target!),
    cases: alike,
    domain: [0.05, 0.95],
    terms: () => 2,
  },
  binaryCrossEntropyWithLogits: {
    value: ([x, target]) => map((x, target) => (1 - target!) * x! + Math.log1p(Math.exp(-x!)), x!, target!),
    cases: alike,
    terms: () => 2,
  },
}
