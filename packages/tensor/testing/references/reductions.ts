import { map, reduce, softmax, sum } from '../nd.js'
import { axisCases, type References, reductionCases, sizeAlong } from './cases.js'

export const reductions: References = {
  sum: {
    value: ([x], a) => reduce(x!, a.axes as readonly number[], a.keepDims as boolean, sum),
    cases: reductionCases,
    terms: sizeAlong,
  },
  mean: {
    value: ([x], a) => reduce(x!, a.axes as readonly number[], a.keepDims as boolean, (values) => sum(values) / values.length),
    cases: reductionCases,
    terms: sizeAlong,
  },
  max: {
    value: ([x], a) => reduce(x!, a.axes as readonly number[], a.keepDims as boolean, (values) => Math.max(...values)),
    cases: reductionCases,
  },
  softmax: {
    value: ([x], { axis }) => softmax(x!, (axis as number) < 0 ? (axis as number) + x!.shape.length : (axis as number)),
    cases: axisCases,
    terms: sizeAlong,
  },
  logSoftmax: {
    value: ([x], { axis }) =>
      map(Math.log, softmax(x!, (axis as number) < 0 ? (axis as number) + x!.shape.length : (axis as number))),
    cases: axisCases,
    terms: sizeAlong,
  },
}
