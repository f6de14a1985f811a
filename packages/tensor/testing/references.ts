import type { OpName } from '../ops/index.js'
import type { Attributes } from '../program.js'
import { at, map, matmul, type Nd, nd, reduce, softmax, sum, transpose } from './nd.js'

/** One way of calling an op: shapes of its inputs (a `range` for integer inputs) and its attributes. */
export interface OpCase {
  readonly shapes: readonly (readonly number[])[]
  readonly attributes?: Attributes
}

export interface OpReference {
  /** First output in float64. */
  readonly value: (inputs: readonly Nd[], attributes: Attributes) => Nd
  readonly cases: readonly OpCase[]
  /** Real inputs are drawn from this interval. Default [-2, 2]. */
  readonly domain?: readonly [number, number]
  /** Inputs that are integers below a bound, by position. */
  readonly integers?: Readonly<Record<number, (shapes: readonly (readonly number[])[]) => number>>
  /** Inputs that are booleans, by position. */
  readonly booleans?: readonly number[]
  /** Terms summed for one element of the result, for the error bound 1e-6·√K. Default 1. */
  readonly terms?: (shapes: readonly (readonly number[])[]) => number
  /** Inputs that are tables by definition, by position: no gradient flows into them. */
  readonly tables?: readonly number[]
  /** Why no derivative is checked. */
  readonly notDifferentiable?: string
}

const pairs: OpCase[] = [
  { shapes: [[], []] },
  { shapes: [[5], [5]] },
  { shapes: [[2, 3], [3]] },
  {
    shapes: [
      [2, 1, 4],
      [3, 1],
    ],
  },
  {
    shapes: [
      [0, 3],
      [1, 3],
    ],
  },
  { shapes: [[1], [4, 1]] },
]
const singles: OpCase[] = [
  { shapes: [[]] },
  { shapes: [[7]] },
  { shapes: [[2, 3]] },
  { shapes: [[0, 4]] },
  { shapes: [[1, 1, 5]] },
]

const binary = (f: (a: number, b: number) => number, extra: Partial<OpReference> = {}): OpReference => ({
  value: ([a, b]) => map(f as (...values: number[]) => number, a!, b!),
  cases: pairs,
  ...extra,
})
const unary = (f: (x: number) => number, extra: Partial<OpReference> = {}): OpReference => ({
  value: ([x]) => map(f as (...values: number[]) => number, x!),
  cases: singles,
  ...extra,
})
const comparison = (f: (a: number, b: number) => boolean) =>
  binary((a, b) => Number(f(a, b)), { notDifferentiable: 'boolean result' })

const reductionCases: OpCase[] = [
  { shapes: [[4]], attributes: { axes: [0], keepDims: false } },
  { shapes: [[2, 3]], attributes: { axes: [1], keepDims: true } },
  { shapes: [[2, 3, 4]], attributes: { axes: [0, 2], keepDims: false } },
  { shapes: [[1, 5]], attributes: { axes: [0, 1], keepDims: false } },
  { shapes: [[2, 3]], attributes: { axes: [], keepDims: false } },
]
const axisCases: OpCase[] = [
  { shapes: [[6]], attributes: { axis: -1 } },
  { shapes: [[2, 3]], attributes: { axis: 1 } },
  { shapes: [[2, 3, 4]], attributes: { axis: -1 } },
  { shapes: [[4, 1]], attributes: { axis: -1 } },
  { shapes: [[0, 3]], attributes: { axis: -1 } },
]
const sizeAlong = (shapes: readonly (readonly number[])[]) => shapes[0]!.reduce((product, size) => product * Math.max(1, size), 1)

const flags = (transA: boolean, transB: boolean, alpha = 1): Attributes => ({ transA, transB, alpha })
const matmulCases: OpCase[] = [
  {
    shapes: [
      [2, 3],
      [3, 4],
    ],
    attributes: flags(false, false),
  },
  {
    shapes: [
      [3, 2],
      [3, 4],
    ],
    attributes: flags(true, false, 0.5),
  },
  {
    shapes: [
      [2, 3],
      [4, 3],
    ],
    attributes: flags(false, true),
  },
  {
    shapes: [
      [3, 2],
      [4, 3],
    ],
    attributes: flags(true, true, 2),
  },
  {
    shapes: [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    attributes: flags(false, false),
  },
  {
    shapes: [
      [2, 4, 3],
      [2, 4, 2],
    ],
    attributes: flags(true, false),
  },
  {
    shapes: [
      [1, 1],
      [1, 1],
    ],
    attributes: flags(false, false),
  },
]
const product = (a: Nd, b: Nd, { transA, transB, alpha }: Attributes) =>
  matmul(transA ? transpose(a) : a, transB ? transpose(b) : b, alpha as number)

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const norm = (x: Nd, weight: Nd, epsilon: number) => {
  const meanSquare = reduce(x, [x.shape.length - 1], true, (values) => sum(values.map((v) => v * v)) / values.length)
  return map((value, w, ms) => (value * w) / Math.sqrt(ms + epsilon), x, weight, meanSquare)
}

export const references: Partial<Record<OpName, OpReference>> = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b, { domain: [0.5, 2] }),
  pow: binary((a, b) => a ** b, { domain: [0.5, 2] }),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  equal: comparison((a, b) => a === b),
  less: comparison((a, b) => a < b),
  greater: comparison((a, b) => a > b),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  log: unary(Math.log, { domain: [0.2, 3] }),
  sqrt: unary(Math.sqrt, { domain: [0.2, 3] }),
  reciprocal: unary((x) => 1 / x, { domain: [0.3, 2] }),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  relu: unary((x) => Math.max(x, 0)),
  silu: unary((x) => x * sigmoid(x)),
  stopGradient: unary((x) => x, { notDifferentiable: 'it stops gradients, which has its own test' }),
  cast: {
    ...unary(Math.trunc),
    cases: singles.map((single) => ({ ...single, attributes: { to: 'i32' } })),
    notDifferentiable: 'integer result',
  },
  where: {
    value: ([c, a, b]) => map((condition, yes, no) => (condition ? yes : no), c!, a!, b!),
    cases: [
      { shapes: [[], [], []] },
      { shapes: [[3], [3], [3]] },
      { shapes: [[2, 1], [3], [2, 3]] },
      { shapes: [[3], [1], [2, 3]] },
      { shapes: [[0], [1], [0]] },
    ],
    booleans: [0],
  },

  matmul: { value: ([a, b], attributes) => product(a!, b!, attributes), cases: matmulCases, terms: ([a]) => a!.at(-1)! },
  gemm: {
    value: ([a, b, c], attributes) => map((x, y) => x + y, product(a!, b!, attributes), c!),
    cases: [
      {
        shapes: [
          [2, 3],
          [3, 4],
          [2, 4],
        ],
        attributes: flags(false, false),
      },
      { shapes: [[3, 2], [3, 4], [4]], attributes: flags(true, false, 0.5) },
      {
        shapes: [
          [2, 3],
          [4, 3],
          [2, 1],
        ],
        attributes: flags(false, true),
      },
      {
        shapes: [
          [3, 2],
          [4, 3],
          [1, 1],
        ],
        attributes: flags(true, true),
      },
      { shapes: [[1, 3], [3, 1], []], attributes: flags(false, false) },
    ],
    terms: ([a]) => a!.at(-1)! + 1,
  },

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
    ],
  },
  broadcastTo: {
    value: ([x], { shape }) => nd(shape as readonly number[], (index) => at(x!, index)),
    cases: [
      { shapes: [[]], attributes: { shape: [2, 3] } },
      { shapes: [[3]], attributes: { shape: [2, 3] } },
      { shapes: [[2, 1]], attributes: { shape: [2, 4] } },
      { shapes: [[1, 3]], attributes: { shape: [0, 3] } },
      { shapes: [[2, 3]], attributes: { shape: [2, 3] } },
    ],
  },
  slice: {
    value: ([x], { axis, start, end }) => {
      const along = axis as number
      return nd(
        x!.shape.map((size, index) => (index === along ? (end as number) - (start as number) : size)),
        (index) =>
          at(
            nd(x!.shape, (i) => at(x!, i)),
            index.map((i, a) => (a === along ? i + (start as number) : i)),
          ),
      )
    },
    cases: [
      { shapes: [[5]], attributes: { axis: 0, start: 1, end: 4 } },
      { shapes: [[2, 5]], attributes: { axis: 1, start: 0, end: 2 } },
      { shapes: [[4, 3]], attributes: { axis: 0, start: 3, end: 4 } },
      { shapes: [[2, 3, 4]], attributes: { axis: 2, start: 1, end: 3 } },
      { shapes: [[3]], attributes: { axis: 0, start: 2, end: 2 } },
    ],
  },
  pad: {
    value: ([x], { axis, before, after }) => {
      const [along, from] = [axis as number, before as number]
      const size = x!.shape[along]!
      return nd(
        x!.shape.map((dim, index) => (index === along ? dim + from + (after as number) : dim)),
        (index) => {
          const inside = index[along]! - from
          return inside < 0 || inside >= size
            ? 0
            : at(
                x!,
                index.map((i, a) => (a === along ? inside : i)),
              )
        },
      )
    },
    cases: [
      { shapes: [[2]], attributes: { axis: 0, before: 1, after: 2 } },
      { shapes: [[2, 3]], attributes: { axis: 1, before: 0, after: 1 } },
      { shapes: [[2, 3]], attributes: { axis: 0, before: 2, after: 0 } },
      { shapes: [[2, 1, 2]], attributes: { axis: 2, before: 1, after: 1 } },
      { shapes: [[3]], attributes: { axis: 0, before: 0, after: 0 } },
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
          [3, 2],
        ],
        attributes: { axis: 0 },
      },
    ],
  },

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
