import type { Tokenizer } from '../tokenizer/index.js'
import type { GenerationOptions, GenerationResult } from './generation-options.js'
import { LogProbabilities, type TokenLogprob, tokenLogprob } from './sampling/log-probabilities.js'
import { Sampler } from './sampling/sampler.js'
import { TextAssembly } from './text-assembly.js'

/** Restricts which tokens may come next in one sequence. */
export interface TokenConstraint {
  /** Sets the logits of tokens that must not come next to -∞. @param remaining tokens that may still come, this one included */
  mask(logits: Float32Array, remaining: number): void
  /** Takes the token that was chosen. */
  push(token: number): void
  /** Whether nothing may follow. */
  readonly complete: boolean
}

export interface SequenceSetting {
  readonly tokenizer: Tokenizer
  readonly eosIds: readonly number[]
  /** The prompt's tokens, with what begins every text. */
  readonly prompt: readonly number[]
  /** Of them, left out before. */
  readonly dropped: number
  /** New tokens at most. */
  readonly limit: number
  readonly options: GenerationOptions
  readonly constraint?: TokenConstraint | undefined
}

/**
 * One text being generated: everything about it but the model's computation. Each step takes the logits after `tokens` and gives the text
 * that may be shown.
 */
export class SequenceGeneration {
  /** The prompt and what was chosen so far. */
  readonly tokens: number[]
  readonly #setting: SequenceSetting
  readonly #sampler: Sampler
  readonly #assembly: TextAssembly
  readonly #logprobs: TokenLogprob[] | undefined
  #generated = 0
  #finishReason: GenerationResult['finishReason'] | undefined

  constructor(setting: SequenceSetting) {
    const { tokenizer, prompt, options } = setting
    this.#setting = setting
    this.tokens = [...prompt]
    this.#sampler = new Sampler(options)
    this.#assembly = new TextAssembly(tokenizer.decoder(), options.stop)
    this.#logprobs = options.logprobs || options.topLogprobs ? [] : undefined
  }

  get finished(): boolean {
    return this.#finishReason !== undefined
  }

  /** Chooses the next token. @param logits [vocabulary] after `tokens`; changed in place @returns the text that is certain now; often '' */
  step(logits: Float32Array): string {
    const { tokenizer, eosIds, limit, constraint, options } = this.#setting
    // Models have more logits than the tokenizer has tokens where the table was padded.
    logits.fill(Number.NEGATIVE_INFINITY, tokenizer.vocabSize)
    const probabilities = this.#logprobs && new LogProbabilities(logits.slice(0, tokenizer.vocabSize))
    constraint?.mask(logits, limit - this.#generated)
    const token = this.#sampler.next(logits, this.tokens)
    this.#generated++
    if (probabilities) this.#logprobs!.push(tokenLogprob(probabilities, token, options.topLogprobs ?? 0, bytesOf(tokenizer)))
    if (eosIds.includes(token)) return this.finish('stop')
    this.tokens.push(token)
    constraint?.push(token)
    const piece = this.#assembly.push(token)
    if (this.#assembly.stop !== undefined || constraint?.complete) return piece + this.finish('stop')
    if (this.#generated < limit) return piece
    // A constraint ends in time: what stands is whole.
    return piece + this.finish(constraint ? 'stop' : 'length')
  }

  /** Ends the text and gives what was held back. */
  finish(reason: GenerationResult['finishReason']): string {
    this.#finishReason = reason
    return this.#assembly.end()
  }

  /** @param seconds from the first logits to the last token @param cachedTokens of the prompt, that were not read again */
  result(seconds: number, cachedTokens = 0): GenerationResult {
    const { prompt, dropped } = this.#setting
    return {
      text: this.#assembly.text,
      tokens: this.#generated,
      promptTokens: prompt.length,
      cachedTokens,
      droppedTokens: dropped,
      // The first token comes with the prompt's own run; the rate is that of the others.
      tokensPerSecond: this.#generated > 1 ? (this.#generated - 1) / seconds : 0,
      finishReason: this.#finishReason ?? 'length',
      ...(this.#assembly.stop !== undefined && { stopString: this.#assembly.stop }),
      ...(this.#logprobs && { logprobs: { content: this.#logprobs } }),
    }
  }
}

/** Ids that the vocabulary leaves out have no bytes. */
const bytesOf = (tokenizer: Tokenizer) => (id: number) =>
  tokenizer.idToToken(id) === undefined ? new Uint8Array() : tokenizer.tokenBytes(id)
