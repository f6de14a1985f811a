import { init } from '@enigma/nn'
import { LmError } from '../errors.js'

export interface SamplingOptions {
  /** 0 takes the likeliest token; higher is more varied. Default 0.8. */
  readonly temperature?: number
  /** Keep the k likeliest tokens; 0 keeps all. Default 50. */
  readonly topK?: number
  /** Keep the likeliest tokens that together reach this probability (nucleus; Holtzman et al. 2020). Default 0.9. */
  readonly topP?: number
  /** Drop tokens less likely than this share of the likeliest. Default 0. */
  readonly minP?: number
  /** Above 1 makes tokens that occurred already less likely (Keskar et al. 2019). Default 1.1. */
  readonly repetitionPenalty?: number
  /** Subtracted once from the logit of every token that occurred. Default 0. */
  readonly presencePenalty?: number
  /** Subtracted from a token's logit for each time it occurred. Default 0. */
  readonly frequencyPenalty?: number
  /** Equal seeds give equal texts. Default: a random seed. */
  readonly seed?: number
}

export type ResolvedSampling = Required<SamplingOptions>

interface Rule {
  readonly key: keyof SamplingOptions
  readonly fallback: number
  readonly holds: (value: number) => boolean
  readonly must: string
}

const rules: readonly Rule[] = [
  { key: 'temperature', fallback: 0.8, holds: (v) => v >= 0, must: 'be 0 (greedy) or positive' },
  { key: 'topK', fallback: 50, holds: (v) => Number.isInteger(v) && v >= 0, must: 'be a non-negative whole number' },
  { key: 'topP', fallback: 0.9, holds: (v) => v > 0 && v <= 1, must: 'be above 0 and at most 1' },
  { key: 'minP', fallback: 0, holds: (v) => v >= 0 && v <= 1, must: 'be between 0 and 1' },
  { key: 'repetitionPenalty', fallback: 1.1, holds: (v) => v >= 1, must: 'be at least 1' },
  { key: 'presencePenalty', fallback: 0, holds: Number.isFinite, must: 'be a number' },
  { key: 'frequencyPenalty', fallback: 0, holds: Number.isFinite, must: 'be a number' },
]

/** Fills in defaults. @throws LmError INVALID_OPTION naming the option, its range and the value */
export function resolveSampling(options: SamplingOptions): ResolvedSampling {
  const values = rules.map(({ key, fallback, holds, must }) => {
    const value = options[key] ?? fallback
    if (typeof value !== 'number' || !holds(value)) throw new LmError('INVALID_OPTION', `${key} must ${must}, got ${value}`)
    return [key, value] as const
  })
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  return { ...Object.fromEntries(values), seed } as ResolvedSampling
}

/** Lowers the logits of tokens that occurred, in place. */
function penalize(logits: Float32Array, history: readonly number[], options: ResolvedSampling): void {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = options
  if (repetitionPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return
  const counts = new Map<number, number>()
  for (const token of history) counts.set(token, (counts.get(token) ?? 0) + 1)
  for (const [token, count] of counts) {
    const logit = logits[token]!
    const repeated = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
    logits[token] = repeated - presencePenalty - frequencyPenalty * count
  }
}

function argmax(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/** Chooses next tokens: penalties, temperature, top-k, top-p, min-p, draw; in this order, as Hugging Face's transformers. */
export class Sampler {
  readonly options: ResolvedSampling
  readonly #random: init.Random

  constructor(options: SamplingOptions = {}) {
    this.options = resolveSampling(options)
    this.#random = new init.Random(this.options.seed)
  }

  /** @param logits [vocabulary]; changed in place @param history tokens so far, prompt included */
  next(logits: Float32Array, history: readonly number[]): number {
    const { temperature, topK, topP, minP } = this.options
    penalize(logits, history, this.options)
    if (temperature === 0) return argmax(logits)
    const candidates = topK > 0 && topK < logits.length ? largest(logits, topK) : Array.from(logits.keys())
    candidates.sort((a, b) => logits[b]! - logits[a]! || a - b)
    const peak = logits[candidates[0]!]!
    const weights = candidates.map((token) => Math.exp((logits[token]! - peak) / temperature))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    let kept = 0
    let mass = 0
    while (kept < candidates.length && (kept === 0 || (mass < topP * total && weights[kept]! >= minP * weights[0]!)))
      mass += weights[kept++]!
    let point = this.#random.uniform() * mass
    for (let index = 0; index < kept; index++) if ((point -= weights[index]!) < 0) return candidates[index]!
    return candidates[kept - 1]!
  }
}

/** Indices of the k largest values, in no order; ties go to the lower index. One pass with a heap of the best k so far. */
function largest(values: Float32Array, k: number): number[] {
  const heap = Array.from({ length: k }, (_, index) => index)
  const worse = (a: number, b: number) => values[a]! < values[b]! || (values[a] === values[b] && a > b)
  /** Moves the index at `at` down until none below it is worse: the worst of all is at 0. */
  const sink = (at: number) => {
    const index = heap[at]!
    for (;;) {
      let child = 2 * at + 1
      if (child >= k) break
      if (child + 1 < k && worse(heap[child + 1]!, heap[child]!)) child++
      if (!worse(heap[child]!, index)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = index
  }
  for (let at = (k >> 1) - 1; at >= 0; at--) sink(at)
  for (let index = k; index < values.length; index++) {
    if (values[index]! > values[heap[0]!]!) {
      heap[0] = index
      sink(0)
    }
  }
  return heap
}
