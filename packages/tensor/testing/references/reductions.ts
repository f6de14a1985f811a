import { at, map, type Nd, nd, reduce, softmax, sum } from '../nd.js'
import { axisCases, type OpCase, type OpReference, type References, reductionCases, sizeAlong } from './cases.js'

const reduction = (fold: (values: number[]) => number, extra: Partial<OpReference> = {}): OpReference => ({
  value: ([x], a) => reduce(x!, a.axes as readonly number[], a.keepDims as boolean, fold),
  cases: reductionCases,
  terms: sizeAlong,
  ...extra,
})

/** A reduction of nothing, which has a value for these. */
const empty: OpCase = { shapes: [[2, 0]], attributes: { axes: [1], keepDims: false } }

const front = (x: Nd, axis: number) => (axis < 0 ? axis + x.shape.length : axis)

/** Index of the first element that no other beats. */
const arg = (better: (a: number, b: number) => boolean): OpReference => ({
  value: ([x], { axis, keepDims }) =>
    reduce(x!, [front(x!, axis as number)], keepDims as boolean, (values) =>
      values.findIndex((value) => !values.some((other) => better(other, value))),
    ),
  cases: [
    { shapes: [[6]], attributes: { axis: 0, keepDims: false } },
    { shapes: [[2, 3]], attributes: { axis: -1, keepDims: true } },
    { shapes: [[2, 3, 4]], attributes: { axis: 1, keepDims: false } },
    { shapes: [[4, 1]], attributes: { axis: 1, keepDims: false } },
    { shapes: [[0, 3]], attributes: { axis: 1, keepDims: false } },
  ],
  notDifferentiable: 'integer result',
})

function logSumExp(values: readonly number[]): number {
  const peak = Math.max(...values)
  return peak + Math.log(sum(values.map((value) => Math.exp(value - peak))))
}

export const reductions: References = {
  sum: reduction(sum, { cases: [...reductionCases, empty] }),
  mean: reduction((values) => sum(values) / values.length),
  prod: reduction((values) => values.reduce((product, value) => product * value, 1), { cases: [...reductionCases, empty] }),
  max: reduction((values) => Math.max(...values)),
  min: reduction((values) => Math.min(...values)),
  logSumExp: reduction(logSumExp),
  argmax: arg((a, b) => a > b),
  argmin: arg((a, b) => a < b),
  cumsum: {
    value: ([x], { axis, reverse }) => {
      const along = front(x!, axis as number)
      return nd(x!.shape, (index) => {
        const [from, to] = reverse ? [index[along]!, x!.shape[along]! - 1] : [0, index[along]!]
        let total = 0
        const source = nd(x!.shape, (i) => at(x!, i))
        for (let i = from; i <= to; i++) total += at(source, index.with(along, i))
        return total
      })
    },
    cases: [
      { shapes: [[6]], attributes: { axis: 0, reverse: false } },
      { shapes: [[2, 3]], attributes: { axis: -1, reverse: true } },
      { shapes: [[2, 3, 4]], attributes: { axis: 1, reverse: false } },
      { shapes: [[4, 1]], attributes: { axis: 1, reverse: false } },
      { shapes: [[0, 3]], attributes: { axis: 1, reverse: true } },
      { shapes: [[2, 0]], attributes: { axis: 1, reverse: false } },
    ],
    terms: sizeAlong,
  },
  softmax: { value: ([x], { axis }) => softmax(x!, front(x!, axis as number)), cases: axisCases, terms: sizeAlong },
  logSoftmax: {
    value: ([x], { axis }) => map((value) => Math.log(value!), softmax(x!, front(x!, axis as number))),
    cases: axisCases,
    terms: sizeAlong,
  },
}
