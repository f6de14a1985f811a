import { map, type Nd, reduce, sum } from '../nd.js'
import type { OpCase, References } from './cases.js'

const average = (values: readonly number[]) => sum(values) / values.length
const mean = (x: Nd, axes: readonly number[]) => reduce(x, axes, true, average)
const times = (a: number, b: number) => a * b

/** x without its mean over some axes, over its deviation. */
function standardized(x: Nd, axes: readonly number[], epsilon: number): Nd {
  const centred = map((value, m) => value - m, x, mean(x, axes))
  const variance = mean(map(times, centred, centred), axes)
  return map((value, v) => value / Math.sqrt(v + epsilon), centred, variance)
}

const channelAxes = (x: Nd) => x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))
/** A vector of channels in the rank of x [N, C, ...]. */
const perChannel = (vector: Nd, x: Nd): Nd => ({ ...vector, shape: [vector.shape[0]!, ...x.shape.slice(2).map(() => 1)] })
const sizeOf = (shape: readonly number[]) => shape.reduce(times, 1)

/** x [N, C, ...] and `count` vectors of channels. */
const channelCases = (shapes: readonly (readonly number[])[], vectors: number, tensors = 1): OpCase[] =>
  shapes.map((shape) => ({
    shapes: [...Array<typeof shape>(tensors).fill(shape), ...Array<number[]>(vectors).fill([shape[1]!])],
    attributes: { epsilon: 1e-2 },
  }))

export const normalization: References = {
  layerNorm: {
    value: ([x, weight, bias], { axis, epsilon }) => {
      const axes = x!.shape.map((_, index) => index).slice(axis as number)
      const scaled = standardized(x!, axes, epsilon as number)
      const weighted = weight ? map(times, scaled, weight) : scaled
      return bias ? map((value, b) => value + b, weighted, bias) : weighted
    },
    cases: [
      { shapes: [[5], [5], [5]], attributes: { axis: 0, epsilon: 1e-2 } },
      { shapes: [[2, 6], [6], [6]], attributes: { axis: 1, epsilon: 1e-2 } },
      { shapes: [[2, 3, 4], [4]], attributes: { axis: 2, epsilon: 1e-2 } },
      { shapes: [[3, 2, 4]], attributes: { axis: 1, epsilon: 1e-2 } },
      {
        shapes: [
          [2, 1, 3, 2],
          [3, 2],
          [3, 2],
        ],
        attributes: { axis: 2, epsilon: 1e-2 },
      },
      { shapes: [[4, 1], [1], [1]], attributes: { axis: 1, epsilon: 1e-2 } },
      { shapes: [[0, 4], [4], [4]], attributes: { axis: 1, epsilon: 1e-2 } },
      { shapes: [[2, 0, 4], [4], [4]], attributes: { axis: 2, epsilon: 1e-2 } },
    ],
    terms: ([x]) => sizeOf(x!),
  },

  batchNorm: {
    value: ([x, weight, bias], { epsilon }) =>
      map(
        (value, w, b) => value * w + b,
        standardized(x!, channelAxes(x!), epsilon as number),
        perChannel(weight!, x!),
        perChannel(bias!, x!),
      ),
    cases: channelCases(
      [
        [4, 3],
        [2, 3, 4],
        [2, 2, 3, 2],
        [1, 2, 3, 3],
        [6, 1],
        [2, 1, 1, 2],
        [2, 2, 2, 1, 2],
        [3, 0, 2],
      ],
      2,
    ),
    terms: ([x]) => sizeOf(x!),
  },

  batchNormGradient: {
    value: ([dy, x, weight, means, variance], { epsilon }) => {
      const axes = channelAxes(x!)
      const inverse = map((v) => 1 / Math.sqrt(v + (epsilon as number)), perChannel(variance!, x!))
      const n = map((value, m, i) => (value - m) * i, x!, perChannel(means!, x!), inverse)
      return map(
        (value, normal, first, second, w, i) => (value - first - normal * second) * w * i,
        dy!,
        n,
        mean(dy!, axes),
        mean(map(times, dy!, n), axes),
        perChannel(weight!, x!),
        inverse,
      )
    },
    cases: channelCases(
      [
        [4, 3],
        [2, 3, 4],
        [2, 2, 3, 2],
        [1, 2, 3, 3],
        [6, 1],
        [2, 1, 1, 2],
      ],
      3,
      2,
    ),
    domain: [0.3, 2],
    terms: ([x]) => sizeOf(x!),
  },

  batchNormInference: {
    value: ([x, weight, bias, means, variance], { epsilon }) =>
      map(
        (value, w, b, m, v) => ((value - m) / Math.sqrt(v + (epsilon as number))) * w + b,
        x!,
        ...[weight, bias, means, variance].map((vector) => perChannel(vector!, x!)),
      ),
    cases: channelCases(
      [
        [4, 3],
        [2, 3, 4],
        [2, 2, 3, 2],
        [1, 1],
        [0, 2, 2, 2],
        [2, 1, 1, 3],
      ],
      4,
    ),
    domain: [0.3, 2],
  },
}
