import type { Forward } from './forward.js'
import { LogProbabilities } from './sampling/log-probabilities.js'
import { adjustLogits, noToken } from './sampling/sampler.js'
import type { ResolvedSampling } from './sampling/sampling-options.js'

export interface BeamOptions {
  /** Texts that are followed at a time. */
  readonly beams: number
  /** Scores are divided by length to this power: above 0 favours longer texts, below 0 shorter ones. Default 1. */
  readonly lengthPenalty?: number
  /**
   * When to stop once there are as many finished texts as beams: `true` at once, `false` (default) when none that goes on is likely to become better
   * at its present length, `'never'` when none can at any length.
   */
  readonly earlyStopping?: boolean | 'never'
}

export interface Hypothesis {
  /** New tokens, without an end token. */
  readonly tokens: readonly number[]
  /** Sum of the log probabilities over length (an end token counts) to the power of `lengthPenalty`. */
  readonly score: number
  readonly ended: boolean
}

interface Beam {
  readonly forward: Forward
  readonly tokens: readonly number[]
  readonly score: number
}

export interface BeamSetting extends BeamOptions {
  readonly prompt: readonly number[]
  readonly limit: number
  readonly eosIds: readonly number[]
  readonly vocabSize: number
  readonly sampling: Pick<ResolvedSampling, 'repetitionPenalty' | 'presencePenalty' | 'frequencyPenalty' | 'logitBias'>
  readonly signal?: AbortSignal | undefined
}

/**
 * The likeliest texts that a search over `beams` alternatives finds, the best first. Semantics of Hugging Face's `generate(num_beams=…)`:
 * penalties change log probabilities, each step looks at the best (1 + end tokens)·beams continuations, finished texts keep the best `beams`.
 * Closes `root`, the computation that has read nothing yet, and all forks of it.
 * @throws TensorError ABORTED when `signal` fires; LmError NOT_FINITE where the model computes no numbers
 */
export async function beamSearch(root: Forward, setting: BeamSetting): Promise<Hypothesis[]> {
  const { beams, lengthPenalty = 1, earlyStopping = false, prompt, limit, eosIds } = setting
  let live: Beam[] = [{ forward: root, tokens: [], score: 0 }]
  let finished: Hypothesis[] = []
  const finish = (tokens: readonly number[], sum: number, length: number, ended: boolean) => {
    finished.push({ tokens, score: sum / length ** lengthPenalty, ended })
    finished = finished.sort((a, b) => b.score - a.score).slice(0, beams)
  }
  try {
    for (let length = 1; length <= limit && live.length > 0; length++) {
      const candidates: { beam: Beam; token: number; score: number }[] = []
      const count = Math.max(2, 1 + eosIds.length) * beams
      for (const beam of live) {
        const scores = await continuations(beam, setting)
        const best = new LogProbabilities(scores).top(count)
        candidates.push(...best.map((token) => ({ beam, token, score: beam.score + scores[token]! })))
      }
      candidates.sort((a, b) => b.score - a.score)
      const chosen: typeof candidates = []
      for (const [rank, candidate] of candidates.slice(0, count).entries()) {
        const ends = eosIds.includes(candidate.token)
        const { beam, token, score } = candidate
        if (rank < beams && ends) finish(beam.tokens, score, length, true)
        else if (rank < beams && length === limit) finish([...beam.tokens, token], score, length, false)
        if (!ends && chosen.length < beams) chosen.push(candidate)
      }
      if (length === limit) break
      live = grown(live, chosen)
      if (live.length === 0 || finished.length < beams) continue
      const reach = earlyStopping === 'never' && lengthPenalty > 0 ? limit : length
      if (earlyStopping === true || finished.at(-1)!.score >= live[0]!.score / reach ** lengthPenalty) break
    }
    return finished
  } finally {
    for (const { forward } of live) forward.close()
  }

  async function continuations({ forward, tokens }: Beam, { vocabSize, sampling, signal }: BeamSetting): Promise<Float32Array> {
    const history = [...prompt, ...tokens]
    const logits = (await forward.next(history, signal)).subarray(0, vocabSize)
    const probabilities = new LogProbabilities(logits)
    const scores = Float32Array.from(logits, (_, token) => probabilities.of(token))
    // One number that is none makes all of them none.
    if (Number.isNaN(scores[0]!)) throw noToken()
    adjustLogits(scores, history, sampling as ResolvedSampling)
    return scores
  }
}

/** The chosen continuations, each with a computation of its own: a parent's goes to its first child, the others get forks. */
function grown(parents: readonly Beam[], chosen: readonly { beam: Beam; token: number; score: number }[]): Beam[] {
  const taken = new Set<Beam>()
  const children = chosen.map(({ beam, token, score }) => {
    const forward = taken.has(beam) ? beam.forward.fork() : beam.forward
    taken.add(beam)
    return { forward, tokens: [...beam.tokens, token], score }
  })
  for (const parent of parents) if (!taken.has(parent)) parent.forward.close()
  return children
}
