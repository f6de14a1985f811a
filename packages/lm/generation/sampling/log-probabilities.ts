import { largest } from './candidates.js'

interface TokenProbability {
  readonly token: string
  /** Natural logarithm of the probability under the model itself: before bias, penalties, temperature, cuts and constraints. */
  readonly logprob: number
  /** The token's UTF-8 bytes: a token may hold part of a character. */
  readonly bytes: readonly number[]
}

/** One generated token, in the shape of OpenAI's `logprobs.content`. */
export interface TokenLogprob extends TokenProbability {
  /** The likeliest tokens at this place, the likeliest first. */
  readonly top_logprobs: readonly TokenProbability[]
}

/** Natural logarithms of the softmax of some logits, for chosen tokens. */
export class LogProbabilities {
  readonly #logits: Float32Array
  readonly #logSum: number

  /** @param logits [vocabulary]; read while this lives */
  constructor(logits: Float32Array) {
    let peak = Number.NEGATIVE_INFINITY
    for (const logit of logits) if (logit > peak) peak = logit
    let sum = 0
    for (const logit of logits) sum += Math.exp(logit - peak)
    this.#logits = logits
    this.#logSum = peak + Math.log(sum)
  }

  of(token: number): number {
    return this.#logits[token]! - this.#logSum
  }

  /** The `count` likeliest tokens, the likeliest first, the lower id first where two are equal. */
  top(count: number): number[] {
    const logits = this.#logits
    return largest(logits, Math.min(count, logits.length)).sort((a, b) => logits[b]! - logits[a]! || a - b)
  }
}

const utf8 = new TextDecoder()

/** The entry of one chosen token, with `top` alternatives. */
export function tokenLogprob(
  probabilities: LogProbabilities,
  token: number,
  top: number,
  bytesOf: (token: number) => Uint8Array,
): TokenLogprob {
  const entry = (id: number): TokenProbability => {
    const bytes = bytesOf(id)
    return { token: utf8.decode(bytes), logprob: probabilities.of(id), bytes: Array.from(bytes) }
  }
  return { ...entry(token), top_logprobs: probabilities.top(top).map(entry) }
}
