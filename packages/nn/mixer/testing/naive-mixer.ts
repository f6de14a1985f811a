import type { HostTensor } from '@enigma/tensor'

/** Weights of a mixer by their names in `stateDict`, in float64. */
export type MixerWeights = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float64Array }>>

export interface NaiveMixer {
  readonly dim: number
  readonly heads: number
  readonly channels: number
  readonly curvature: number
  readonly discard?: number
}

export const toDouble = (state: Readonly<Record<string, HostTensor>>): MixerWeights =>
  Object.fromEntries(
    Object.entries(state).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data as Float32Array) }]),
  )

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const range = (count: number) => Array.from({ length: count }, (_, index) => index)

/**
 * The coherence mixer as its sentences say it: one token after the other, float64, no chunks. x is one sequence [length, dim].
 * Returns what comes out and the channel weights of each token.
 */
export function naiveMixer(
  { dim, heads, channels, curvature, discard }: NaiveMixer,
  weights: MixerWeights,
  x: readonly (readonly number[])[],
): { readonly output: number[][]; readonly shares: number[][] } {
  const linear = (name: string, input: readonly number[]) => {
    const { shape, data } = weights[`${name}.weight`]!
    const bias = weights[`${name}.bias`]?.data
    return range(shape[0]!).map((row) =>
      input.reduce((sum, value, column) => sum + value * data[row * dim + column]!, bias?.[row] ?? 0),
    )
  }
  const project = (part: readonly number[]) => {
    const norm = Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) + 1e-12)
    return part.map((value) => (value * Math.tanh(norm / Math.sqrt(-curvature))) / norm)
  }
  const size = dim / heads
  const width = dim / channels
  const states = range(heads).map(() => range(size / 2).map(() => new Array<number>(size).fill(0)))
  const energy = new Array<number>(channels).fill(0)
  const output: number[][] = []
  const all: number[][] = []
  for (const [t, token] of x.entries()) {
    const smooth = token.map((_, i) =>
      range(4).reduce((sum, tap) => sum + weights.smoothing!.data[tap * dim + i]! * (x[t - tap]?.[i] ?? 0), 0),
    )
    const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) => linear(name, smooth)) as [number[], number[], number[]]
    const decay = linear('decay_proj', token).map((z) => Math.exp(-sigmoid(z)))
    const read = states.flatMap((state, head) => {
      const query = project(q.slice((head * size) / 2, ((head + 1) * size) / 2))
      const key = project(k.slice((head * size) / 2, ((head + 1) * size) / 2))
      for (const [i, row] of state.entries())
        for (let j = 0; j < size; j++) row[j] = decay[head]! * row[j]! + key[i]! * v[head * size + j]!
      const o = range(size).map((j) => query.reduce((sum, value, i) => sum + value * state[i]![j]!, 0))
      const rms = Math.sqrt(o.reduce((sum, value) => sum + value * value, 0) / size + 1e-5)
      return o.map((value, j) => (value / rms) * weights['norm.weight']!.data[j]!)
    })
    for (let c = 0; c < channels; c++)
      energy[c]! += v.slice(c * width, (c + 1) * width).reduce((sum, value) => sum + value * value, 0) / width
    const raw = energy.map((sum, c) => Math.sqrt(sum / (t + 1) + 1e-12) * Math.exp(weights.channel_weight!.data[c]!))
    const least = discard === undefined ? 0 : (1 - discard) * Math.max(...raw)
    const kept = raw.map((weight) => (weight < least ? 0 : weight))
    const total = kept.reduce((sum, weight) => sum + weight, 0)
    const shares = kept.map((weight) => weight / total)
    const gate = linear('gate_proj', token).map((z) => z * sigmoid(z))
    output.push(
      linear(
        'o_proj',
        read.map((value, i) => value * channels * shares[Math.floor(i / width)]! * gate[i]!),
      ),
    )
    all.push(shares)
  }
  return { output, shares: all }
}
