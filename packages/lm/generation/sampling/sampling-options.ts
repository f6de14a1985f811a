import { LmError } from '../../errors.js'

export interface SamplingOptions {
  /** 0 takes the likeliest token; higher is more varied. Default 0.8. */
  readonly temperature?: number
  /** Keep the k likeliest tokens; 0 keeps all. Default 50. */
  readonly topK?: number
  /** Keep the likeliest tokens that together reach this probability (nucleus; Holtzman et al. 2020); 0 keeps one. Default 0.9. */
  readonly topP?: number
  /** Drop tokens less likely than this share of the likeliest (Nguyen et al. 2024). Default 0. */
  readonly minP?: number
  /** Keep the tokens whose surprise is nearest to the expected one, up to this probability (Meister et al. 2022). Default 1: all. */
  readonly typicalP?: number
  /** Above 1 makes tokens that occurred already, in the prompt too, less likely (Keskar et al. 2019). Default 1.1. */
  readonly repetitionPenalty?: number
  /** Subtracted once from the logit of every token that occurred. Default 0. */
  readonly presencePenalty?: number
  /** Subtracted from a token's logit for each time it occurred. Default 0. */
  readonly frequencyPenalty?: number
  /** Added to the logits of these token ids: -100 bans one, 100 all but forces it. Default none. */
  readonly logitBias?: Readonly<Record<number, number>>
  /** Equal seeds give equal texts; of larger numbers the lowest 32 bits count. Default: a random seed. */
  readonly seed?: number
}

export type ResolvedSampling = Required<SamplingOptions>

interface Rule {
  readonly key: Exclude<keyof SamplingOptions, 'logitBias'>
  readonly fallback: number
  readonly holds: (value: number) => boolean
  readonly must: string
}

const share = { holds: (v: number) => v >= 0 && v <= 1, must: 'be between 0 and 1' }

const rules: readonly Rule[] = [
  { key: 'temperature', fallback: 0.8, holds: (v) => v >= 0, must: 'be 0 (greedy) or positive' },
  { key: 'topK', fallback: 50, holds: (v) => Number.isInteger(v) && v >= 0, must: 'be a non-negative whole number' },
  { key: 'topP', fallback: 0.9, ...share },
  { key: 'minP', fallback: 0, ...share },
  { key: 'typicalP', fallback: 1, ...share },
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
  const logitBias = options.logitBias ?? {}
  for (const [id, bias] of Object.entries(logitBias)) {
    if (!/^\d+$/.test(id) || !Number.isFinite(bias))
      throw new LmError('INVALID_OPTION', `logitBias must map token ids to numbers, got ${id}: ${bias}`)
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  if (!Number.isSafeInteger(seed)) throw new LmError('INVALID_OPTION', `seed must be a whole number, got ${seed}`)
  return { ...Object.fromEntries(values), logitBias, seed } as ResolvedSampling
}
