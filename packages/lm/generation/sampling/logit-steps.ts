import { LmError } from '../../errors.js'
import type { ResolvedSampling } from './sampling-options.js'

/** Changes the logits [vocabulary] of one sequence in place, before any token is dropped. */
interface LogitStep {
  readonly name: string
  readonly active: (options: ResolvedSampling) => boolean
  readonly apply: (logits: Float32Array, history: readonly number[], options: ResolvedSampling) => void
}

/** The steps in their order; penalties as llama.cpp's `penalties` sampler and Hugging Face's RepetitionPenaltyLogitsProcessor. */
export const logitSteps: readonly LogitStep[] = [
  {
    name: 'logitBias',
    active: ({ logitBias }) => Object.keys(logitBias).length > 0,
    apply(logits, _, { logitBias }) {
      for (const [id, bias] of Object.entries(logitBias)) {
        const token = Number(id)
        if (token >= logits.length)
          throw new LmError(
            'INVALID_OPTION',
            `logitBias names the token ${id}; the model's vocabulary has ids 0 to ${logits.length - 1}`,
          )
        logits[token]! += bias
      }
    },
  },
  {
    name: 'penalties',
    active: ({ repetitionPenalty, presencePenalty, frequencyPenalty }) =>
      repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0,
    apply(logits, history, { repetitionPenalty, presencePenalty, frequencyPenalty }) {
      for (const [token, count] of countsOf(history)) {
        const logit = logits[token]!
        const repeated = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
        logits[token] = repeated - presencePenalty - frequencyPenalty * count
      }
    },
  },
]

function countsOf(tokens: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  return counts
}
