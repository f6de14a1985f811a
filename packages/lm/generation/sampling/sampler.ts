import { init } from '@enigma/nn'
import { LmError } from '../../errors.js'
import { argmax, type Candidates, candidatesOf } from './candidates.js'
import { cuts } from './cuts.js'
import { logitSteps } from './logit-steps.js'
import { type ResolvedSampling, resolveSampling, type SamplingOptions } from './sampling-options.js'

/**
 * Chooses the next tokens of one sequence. The chain, in this order: logit bias, penalties (`logitSteps`); temperature 0 then takes
 * the likeliest; else temperature and top-k (`candidatesOf`), top-p, min-p, typical-p (`cuts`), and a draw.
 */
export class Sampler {
  readonly options: ResolvedSampling
  readonly #random: init.Random

  constructor(options: SamplingOptions = {}) {
    this.options = resolveSampling(options)
    this.#random = new init.Random(this.options.seed)
  }

  /**
   * @param logits [vocabulary]; changed in place @param history tokens so far, prompt included
   * @throws LmError NOT_FINITE where no token can come next: the model computes no numbers, or everything is banned
   */
  next(logits: Float32Array, history: readonly number[]): number {
    adjustLogits(logits, history, this.options)
    const token = this.options.temperature === 0 ? argmax(logits) : draw(candidates(logits, this.options), this.#random)
    if (token !== undefined && logits[token]! > Number.NEGATIVE_INFINITY) return token
    throw noToken()
  }
}

export const noToken = () =>
  new LmError(
    'NOT_FINITE',
    'No token can come next: the model computes no finite numbers (are its weights damaged?), or bias and penalties ban every token.',
  )

/** Logit bias and penalties, in place. */
export function adjustLogits(logits: Float32Array, history: readonly number[], options: ResolvedSampling): void {
  for (const step of logitSteps) if (step.active(options)) step.apply(logits, history, options)
}

/** What may be drawn from logits that are adjusted already. */
export function candidates(logits: Float32Array, options: ResolvedSampling): Candidates {
  return cuts.reduce(
    (left, cut) => (cut.active(options) ? cut.apply(left, options) : left),
    candidatesOf(logits, options.topK, options.temperature),
  )
}

function draw({ tokens, weights }: Candidates, random: init.Random): number | undefined {
  let point = random.uniform() * weights.reduce((total, weight) => total + weight, 0)
  for (const [index, weight] of weights.entries()) if ((point -= weight) < 0) return tokens[index]!
  return tokens.at(-1)
}
