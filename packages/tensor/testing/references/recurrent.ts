import { type Nd, nd } from '../nd.js'
import type { References } from './cases.js'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Sums of one row of gates: x · weightᵀ + bias at row `row` of a batch element. */
const gate = (x: ArrayLike<number>, offset: number, size: number, weight: Nd, bias: Nd, row: number) => {
  let total = bias.data[row]!
  for (let k = 0; k < size; k++) total += x[offset + k]! * weight.data[row * size + k]!
  return total
}

const shapesOf = (gates: number, states: number, [T, B, I, H]: readonly [number, number, number, number]) => [
  [T, B, I],
  [gates * H, I],
  [gates * H, H],
  [gates * H],
  [gates * H],
  ...Array.from({ length: states }, () => [B, H]),
]
const sizes = [
  [1, 1, 1, 1],
  [3, 2, 4, 5],
  [5, 1, 2, 3],
  [2, 3, 1, 4],
  [2, 0, 3, 4],
  [7, 4, 3, 16],
] as const

/** Runs a cell over time; `cell` gives the new hidden value of one unit and may keep its own state. */
function over(inputs: readonly Nd[], cell: (h: Float64Array, t: number, b: number, unit: number) => number): Nd {
  const [x, , weightHh, , , h0] = inputs
  const [T, B] = x!.shape as [number, number, number]
  const H = weightHh!.shape[1]!
  let h = h0!.data.slice()
  const all: Float64Array[] = []
  for (let t = 0; t < T; t++) {
    const before = h
    h = Float64Array.from({ length: B * H }, (_, index) => cell(before, t, Math.floor(index / H), index % H))
    all.push(h)
  }
  return nd([T, B, H], ([t, b, unit]) => all[t!]![b! * H + unit!]!)
}

export const recurrent: References = {
  lstm: {
    value: (inputs) => {
      const [x, weightIh, weightHh, biasIh, biasHh, , c0] = inputs as [Nd, Nd, Nd, Nd, Nd, Nd, Nd]
      const [, B, I] = x.shape as [number, number, number]
      const H = weightHh.shape[1]!
      const c = c0.data.slice()
      return over(inputs, (h, t, b, unit) => {
        const total = (k: number) =>
          gate(x.data, (t * B + b) * I, I, weightIh, biasIh, k * H + unit) + gate(h, b * H, H, weightHh, biasHh, k * H + unit)
        const place = b * H + unit
        c[place] = sigmoid(total(1)) * c[place]! + sigmoid(total(0)) * Math.tanh(total(2))
        return sigmoid(total(3)) * Math.tanh(c[place]!)
      })
    },
    cases: sizes.map((size) => ({ shapes: shapesOf(4, 2, size) })),
    domain: [-1, 1],
    terms: ([x, , weightHh]) => x![0]! * (x![2]! + weightHh![1]!),
  },
  gru: {
    value: (inputs) => {
      const [x, weightIh, weightHh, biasIh, biasHh] = inputs as [Nd, Nd, Nd, Nd, Nd]
      const [, B, I] = x.shape as [number, number, number]
      const H = weightHh.shape[1]!
      return over(inputs, (h, t, b, unit) => {
        const fromX = (k: number) => gate(x.data, (t * B + b) * I, I, weightIh, biasIh, k * H + unit)
        const fromH = (k: number) => gate(h, b * H, H, weightHh, biasHh, k * H + unit)
        const r = sigmoid(fromX(0) + fromH(0))
        const z = sigmoid(fromX(1) + fromH(1))
        const n = Math.tanh(fromX(2) + r * fromH(2))
        return (1 - z) * n + z * h[b * H + unit]!
      })
    },
    cases: sizes.map((size) => ({ shapes: shapesOf(3, 1, size) })),
    domain: [-1, 1],
    terms: ([x, , weightHh]) => x![0]! * (x![2]! + weightHh![1]!),
  },
}
