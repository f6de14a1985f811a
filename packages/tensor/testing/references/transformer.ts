import { at, map, matmul, type Nd, nd, reduce, softmax, sum, transpose } from '../nd.js'
import { sigmoid } from './activations.js'
import type { References } from './cases.js'

const norm = (x: Nd, weight: Nd, epsilon: number) => {
  const meanSquare = reduce(x, [x.shape.length - 1], true, (values) => sum(values.map((v) => v * v)) / values.length)
  return map((value, w, ms) => (value * w) / Math.sqrt(ms + epsilon), x, weight, meanSquare)
}

export const transformer: References = {
  rmsNorm: {
    value: ([x, weight], { epsilon }) => norm(x!, weight!, epsilon as number),
    cases: [[4], [2, 6], [2, 3, 8], [1, 1, 5], [7, 1]].map((shape) => ({
      shapes: [shape, [shape.at(-1)!]],
      attributes: { epsilon: 1e-3 },
    })),
    terms: ([x]) => x!.at(-1)!,
  },
  addRmsNorm: {
    value: ([a, b, weight], { epsilon }) =>
      norm(
        map((x, y) => x + y, a!, b!),
        weight!,
        epsilon as number,
      ),
    cases: [
      [2, 6],
      [1, 3, 8],
      [2, 2, 4],
      [1, 5],
      [3, 16],
    ].map((shape) => ({
      shapes: [shape, shape, [shape.at(-1)!]],
      attributes: { epsilon: 1e-3 },
    })),
    terms: ([x]) => x!.at(-1)!,
    notDifferentiable: 'an inference kernel',
  },
  rotaryEmbedding: {
    value: ([x, positions, cosine, sine]) => {
      const half = x!.shape[3]! / 2
      const source = nd(x!.shape, (index) => at(x!, index))
      return nd(x!.shape, ([b, h, t, d]) => {
        const position = positions!.data[b! * positions!.shape[1]! + t!]!
        const i = d! % half
        const [c, s] = [cosine!.data[position * half + i]!, sine!.data[position * half + i]!]
        const [first, second] = [at(source, [b!, h!, t!, i]), at(source, [b!, h!, t!, i + half])]
        return d! < half ? first * c - second * s : second * c + first * s
      })
    },
    cases: [
      {
        shapes: [
          [1, 1, 1, 2],
          [1, 1],
          [4, 1],
          [4, 1],
        ],
      },
      {
        shapes: [
          [1, 2, 3, 4],
          [1, 3],
          [4, 2],
          [4, 2],
        ],
      },
      {
        shapes: [
          [2, 1, 3, 8],
          [2, 3],
          [5, 4],
          [5, 4],
        ],
      },
      {
        shapes: [
          [2, 3, 2, 6],
          [2, 2],
          [3, 3],
          [3, 3],
        ],
      },
      {
        shapes: [
          [1, 4, 4, 16],
          [1, 4],
          [8, 8],
          [8, 8],
        ],
      },
    ],
    integers: { 1: ([, , cosine]) => cosine![0]! },
    tables: [2, 3],
    terms: () => 2,
  },
  attention: {
    value: ([q, k, v], { scale, causal }) => {
      const [batch, heads, queries, dim] = q!.shape as [number, number, number, number]
      const [, kvHeads, keys] = k!.shape as [number, number, number, number]
      const group = heads / kvHeads
      const pick = (x: Nd, b: number, h: number) =>
        nd(x.shape.slice(2), ([t, d]) => x.data[((b * x.shape[1]! + h) * x.shape[2]! + t!) * dim + d!]!)
      const parts = new Map<string, Nd>()
      for (let b = 0; b < batch; b++)
        for (let h = 0; h < heads; h++) {
          const scores = matmul(pick(q!, b, h), transpose(pick(k!, b, Math.floor(h / group))), scale as number)
          const seen = nd(scores.shape, ([t, s]) => (causal && s! > t! + keys - queries ? -1e9 : at(scores, [t!, s!])))
          parts.set(`${b},${h}`, matmul(softmax(seen, 1), pick(v!, b, Math.floor(h / group))))
        }
      return nd([batch, heads, queries, dim], ([b, h, t, d]) => parts.get(`${b},${h}`)!.data[t! * dim + d!]!)
    },
    cases: [
      {
        shapes: [
          [1, 1, 1, 2],
          [1, 1, 1, 2],
          [1, 1, 1, 2],
        ],
        attributes: { scale: 1, causal: true },
      },
      {
        shapes: [
          [1, 2, 3, 4],
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ],
        attributes: { scale: 0.5, causal: true },
      },
      {
        shapes: [
          [2, 4, 3, 2],
          [2, 2, 3, 2],
          [2, 2, 3, 2],
        ],
        attributes: { scale: 0.7, causal: true },
      },
      {
        shapes: [
          [1, 3, 2, 4],
          [1, 1, 5, 4],
          [1, 1, 5, 4],
        ],
        attributes: { scale: 0.5, causal: true },
      },
      {
        shapes: [
          [2, 2, 3, 2],
          [2, 1, 4, 2],
          [2, 1, 4, 2],
        ],
        attributes: { scale: 0.5, causal: false },
      },
    ],
    terms: ([q, k]) => q![3]! * k![2]!,
  },
  swiglu: {
    value: ([gate, up]) => map((g, u) => g * sigmoid(g) * u, gate!, up!),
    cases: [[3], [2, 3], [0, 2], [1, 1], [2, 2, 4]].map((shape) => ({ shapes: [shape, shape] })),
  },
}
