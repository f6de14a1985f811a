import { TensorError } from '@enigma/tensor'
import { LmError } from '../errors.js'
import type { LanguageModel } from '../language-model.js'
import { type ChatMessage, type ChatPrompt, chatPrompt } from './chat-prompt.js'
import { Decoder, type DecoderOptions, type Sequence } from './decoder.js'
import { Sampler, type SamplingOptions } from './sampler.js'
import { StopStrings } from './stop-strings.js'
import { UncachedForward } from './uncached-forward.js'

export interface GenerationOptions extends SamplingOptions {
  /** Longest answer in tokens. Default 256, or what the context has left if that is less. */
  readonly maxTokens?: number
  /** The text ends before the first of these; they may span tokens. */
  readonly stop?: readonly string[]
  /** Ends the text at once; the result so far has finishReason 'abort'. */
  readonly signal?: AbortSignal
  /** `false` recomputes the whole text for every token, without a cache and with the training program: to check the cache. */
  readonly cache?: boolean
}

export interface GenerationResult {
  /** Only the new text. */
  readonly text: string
  /** New tokens. */
  readonly tokens: number
  readonly promptTokens: number
  /** New tokens over the time from the prompt's end to the last token. */
  readonly tokensPerSecond: number
  /** 'stop': the end token or a stop string; 'length': maxTokens or the context; 'abort': the signal. */
  readonly finishReason: 'stop' | 'length' | 'abort'
}

const defaultMaxTokens = 256

/** Gives the logits [vocabulary] after a growing list of tokens. */
interface Forward {
  /** @throws TensorError ABORTED when `signal` fires */
  next(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array>
  close(): void
}

/** Feeds a sequence what it has not seen yet. */
class CachedForward implements Forward {
  readonly #decoder: Decoder
  readonly #sequence: Sequence

  constructor(decoder: Decoder) {
    this.#decoder = decoder
    this.#sequence = decoder.start()
  }

  next(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#decoder.feed(this.#sequence, tokens.slice(this.#sequence.length), signal)
  }

  close(): void {
    this.#sequence[Symbol.dispose]()
  }
}

/** Generates text with one model. Calls may overlap; each has a cache of its own. */
export class TextGenerator {
  readonly model: LanguageModel
  readonly #decoder: Decoder
  readonly #options: DecoderOptions

  private constructor(model: LanguageModel, decoder: Decoder, options: DecoderOptions) {
    this.model = model
    this.#decoder = decoder
    this.#options = options
  }

  static async create(model: LanguageModel, options: DecoderOptions = {}): Promise<TextGenerator> {
    return new TextGenerator(model, await Decoder.create(model.config, model.weights, options), options)
  }

  /**
   * Streams the continuation of `prompt`: only new text, only whole characters. The generator's return value is the result.
   * @throws LmError INVALID_OPTION, CONTEXT_OVERFLOW when the prompt leaves no room for a token
   */
  async *stream(prompt: string, options: GenerationOptions = {}): AsyncGenerator<string, GenerationResult> {
    const { tokenizer, config } = this.model
    const { stop = [], signal, cache = true, maxTokens = defaultMaxTokens } = options
    if (!(Number.isInteger(maxTokens) && maxTokens > 0))
      throw new LmError('INVALID_OPTION', `maxTokens must be a positive whole number, got ${maxTokens}`)
    const sampler = new Sampler(options)
    const tokens = this.#promptTokens(prompt)
    const promptTokens = tokens.length
    const limit = Math.min(maxTokens, config.context - promptTokens)
    const decoder = tokenizer.decoder()
    const stops = new StopStrings(stop)
    const forward: Forward = cache ? new CachedForward(this.#decoder) : new UncachedForward(this.model, this.#options)
    let text = ''
    let finishReason: GenerationResult['finishReason'] = 'length'
    let started = performance.now()
    let generated = 0
    let cutByStop = false
    try {
      while (generated < limit) {
        if (signal?.aborted) {
          finishReason = 'abort'
          break
        }
        const logits = await unlessAborted(forward.next(tokens, signal))
        if (!logits) {
          finishReason = 'abort'
          break
        }
        // Models have more logits than the tokenizer has tokens where the table was padded.
        logits.fill(Number.NEGATIVE_INFINITY, tokenizer.vocabSize)
        if (generated === 0) started = performance.now()
        const token = sampler.next(logits, tokens)
        generated++
        if (config.eosIds.includes(token)) {
          finishReason = 'stop'
          break
        }
        tokens.push(token)
        const { text: piece, stopped } = stops.push(decoder.push(token))
        if (piece) {
          text += piece
          yield piece
        }
        if (stopped) {
          finishReason = 'stop'
          cutByStop = true
          break
        }
      }
      const rest = cutByStop ? '' : stops.push(decoder.end()).text + stops.flush()
      if (rest) {
        text += rest
        yield rest
      }
    } finally {
      forward.close()
    }
    // The first token comes with the prompt's own run; the rate is that of the others.
    const seconds = (performance.now() - started) / 1000
    const tokensPerSecond = generated > 1 ? (generated - 1) / seconds : 0
    return { text, tokens: generated, promptTokens, tokensPerSecond, finishReason }
  }

  /** The whole continuation at once. */
  async complete(prompt: string, options: GenerationOptions = {}): Promise<GenerationResult> {
    const stream = this.stream(prompt, options)
    for (;;) {
      const { done, value } = await stream.next()
      if (done) return value
    }
  }

  /**
   * The prompt for a conversation, shortened where it does not fit the context: the oldest turns are dropped (and counted), then
   * the last message's beginning is. `reserve` tokens, but at most half of the context, are left for the answer.
   */
  chatPrompt(messages: readonly ChatMessage[], reserve = defaultMaxTokens): ChatPrompt {
    const { tokenizer, config } = this.model
    const room = config.context - Math.min(reserve, Math.floor(config.context / 2))
    return chatPrompt(messages, (prompt) => tokenizer.encode(prompt).length + 1 <= room)
  }

  close(): void {
    this.#decoder.release()
  }

  #promptTokens(prompt: string): number[] {
    const { tokenizer, config } = this.model
    const tokens = [...tokenizer.encode(prompt)]
    // Documents are trained with the end token before them; so an empty prompt has something to continue, too.
    if (config.bosId !== null) tokens.unshift(config.bosId)
    if (tokens.length === 0)
      throw new LmError('EMPTY_PROMPT', 'The prompt is empty and the model has no start token. Give a prompt.')
    if (tokens.length >= config.context)
      throw new LmError(
        'CONTEXT_OVERFLOW',
        `The prompt has ${tokens.length} tokens; the model's context is ${config.context}. Shorten the prompt.`,
      )
    return tokens
  }
}

/** Undefined when the run was aborted. */
async function unlessAborted<T>(run: Promise<T>): Promise<T | undefined> {
  try {
    return await run
  } catch (error) {
    if (error instanceof TensorError && error.code === 'ABORTED') return undefined
    throw error
  }
}
