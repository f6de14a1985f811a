import { templatedPrompt } from '../chat/templated-prompt.js'
import { LmError } from '../errors.js'
import type { LanguageModel } from '../language-model.js'
import { type QuantizationName, quantizationOf, quantizedWeights } from '../quantization/quantization.js'
import { Batch, type BatchOptions, type BatchStatus, resolveBatch } from './batching/batch.js'
import { beamSearch } from './beam-search.js'
import { type ChatMessage, type ChatPrompt, chatPrompt } from './chat-prompt.js'
import { GrammarCache } from './constraint/grammar-cache.js'
import { GrammarConstraint } from './constraint/grammar-constraint.js'
import { Decoder, type DecoderOptions } from './decoder.js'
import { CachedForward, type Forward } from './forward.js'
import {
  type BeamGenerationOptions,
  checkBeams,
  checkGeneration,
  defaultMaxTokens,
  fitPrompt,
  type GenerationOptions,
  type GenerationResult,
  schemaOf,
} from './generation-options.js'
import { resolveSampling } from './sampling/sampling-options.js'
import { SequenceGeneration } from './sequence-generation.js'
import { generateUncached, UncachedForward } from './uncached-forward.js'

/** A text, or the ids of its tokens without the one that begins every text. */
export type Prompt = string | readonly number[]

export interface TextGeneratorOptions extends DecoderOptions, BatchOptions {
  /** Compute with rounded weights: `int8` or `int4`. Faster and smaller; docs/quantization.md has what it costs. Default: as they are. */
  readonly quantization?: QuantizationName
  /** Neighbours of a row of weights that share a scale: 16, 32, 64, 128 or 256. Default 32. */
  readonly groupSize?: number
}

/** Generates text with one model. Calls may overlap: their texts go on together, token by token (`batching/`). */
export class TextGenerator {
  readonly model: LanguageModel
  readonly #decoder: Decoder
  readonly #batch: Batch
  readonly #options: DecoderOptions
  readonly #grammars: GrammarCache

  private constructor(model: LanguageModel, decoder: Decoder, batch: Batch, options: DecoderOptions) {
    this.model = model
    this.#decoder = decoder
    this.#batch = batch
    this.#options = options
    this.#grammars = new GrammarCache(model.tokenizer)
  }

  /**
   * @throws LmError UNSUPPORTED_MODEL; INVALID_OPTION for another quantization or group size, `parallel` or `queueLimit`; QUANTIZED_MODEL
   * when the model is quantized already; TENSOR_OVERFLOW
   */
  static async create(model: LanguageModel, options: TextGeneratorOptions = {}): Promise<TextGenerator> {
    const { quantization, groupSize, parallel, queueLimit, ...rest } = options
    const limits = resolveBatch(model.config, { parallel, queueLimit })
    const weights =
      quantization === undefined
        ? model.stored
        : quantizedWeights(model.config, model.weights, quantizationOf(quantization, groupSize))
    const decoder = await Decoder.create(model.config, weights, rest)
    return new TextGenerator(model, decoder, new Batch(decoder, limits), rest)
  }

  /** What is being generated now, and what waits. */
  get status(): BatchStatus {
    return this.#batch.status
  }

  /**
   * Streams the continuation of `prompt`: only new text, only whole characters. The generator's return value is the result.
   * @throws LmError INVALID_OPTION, CONTEXT_OVERFLOW when the prompt leaves no room for a token
   */
  async *stream(prompt: Prompt, options: GenerationOptions = {}): AsyncGenerator<string, GenerationResult> {
    return yield* this.#generate([this.#sequence(prompt, options)], options)[0]!
  }

  /** The whole continuation at once. */
  async complete(prompt: Prompt, options: GenerationOptions = {}): Promise<GenerationResult> {
    return last(this.stream(prompt, options))
  }

  /**
   * `n` continuations of one prompt, which is read once. The first is what `complete` gives; the others take the seeds that follow.
   * @throws LmError as `stream`
   */
  async choices(prompt: Prompt, n: number, options: GenerationOptions = {}): Promise<GenerationResult[]> {
    if (!(Number.isInteger(n) && n > 0)) throw new LmError('INVALID_OPTION', `n must be a positive whole number, got ${n}`)
    const { seed } = resolveSampling(options)
    const sequences = Array.from({ length: n }, (_, index) => this.#sequence(prompt, { ...options, seed: seed + index }))
    const streams = this.#generate(sequences, options)
    try {
      return await Promise.all(streams.map(last))
    } catch (error) {
      for (const stream of streams) void stream.return(undefined as never)
      throw error
    }
  }

  /**
   * The likeliest continuations that a beam search finds, the best first: `n` (default 1) of `beams`. Nothing is drawn, so temperature and
   * cuts do not count; penalties and logit bias do.
   * @throws LmError INVALID_OPTION, CONTEXT_OVERFLOW; TensorError ABORTED when `signal` fires: there is no part of a result
   */
  async beams(prompt: Prompt, options: BeamGenerationOptions): Promise<(GenerationResult & { readonly score: number })[]> {
    checkBeams(options)
    const { tokenizer, config } = this.model
    const { tokens, dropped, limit } = this.#prompt(prompt, options)
    const started = performance.now()
    const found = await beamSearch(this.#forward(options), {
      ...options,
      prompt: tokens,
      limit,
      eosIds: config.eosIds,
      vocabSize: tokenizer.vocabSize,
      sampling: resolveSampling(options),
    })
    const seconds = (performance.now() - started) / 1000
    return found.slice(0, options.n ?? 1).map((hypothesis) => {
      const generated = hypothesis.tokens.length + (hypothesis.ended ? 1 : 0)
      return {
        text: tokenizer.decode(hypothesis.tokens),
        tokens: generated,
        promptTokens: tokens.length,
        cachedTokens: 0,
        droppedTokens: dropped,
        tokensPerSecond: generated / seconds,
        finishReason: hypothesis.ended ? 'stop' : 'length',
        score: hypothesis.score,
      }
    })
  }

  /**
   * The prompt for a conversation, shortened where it does not fit the context: the oldest turns are dropped (and counted), then
   * the last message's beginning is. `reserve` tokens, but at most half of the context, are left for the answer. Models with a chat
   * template are asked in it, the others with running text.
   * @throws LmError TEMPLATE_INVALID when the template refuses the conversation
   */
  chatPrompt(messages: readonly ChatMessage[], reserve = defaultMaxTokens): ChatPrompt {
    const { tokenizer, config, chatTemplate } = this.model
    // One place is the beginning of the text.
    const room = config.context - Math.min(reserve, Math.floor(config.context / 2)) - 1
    if (!chatTemplate) return chatPrompt(messages, (prompt) => tokenizer.encode(prompt).length <= room)
    return templatedPrompt(messages, (kept) => chatTemplate.encode(kept, { addGenerationPrompt: true }), room)
  }

  /** Ends all texts with what there is. Resolves when native code has let go of them. */
  async close(): Promise<void> {
    const ended = this.#batch.close()
    this.#decoder.release()
    await ended
  }

  #generate(sequences: readonly SequenceGeneration[], options: GenerationOptions): AsyncGenerator<string, GenerationResult>[] {
    if (options.cache !== false) return this.#batch.generate(sequences, options.signal)
    return sequences.map((sequence) => generateUncached(new UncachedForward(this.model, this.#options), sequence, options.signal))
  }

  #forward({ cache = true }: GenerationOptions): Forward {
    return cache ? new CachedForward(this.#decoder) : new UncachedForward(this.model, this.#options)
  }

  #sequence(prompt: Prompt, options: GenerationOptions): SequenceGeneration {
    checkGeneration(options)
    const { tokens, dropped, limit } = this.#prompt(prompt, options)
    const { tokenizer, config } = this.model
    const { eosIds } = config
    const schema = schemaOf(options.responseFormat)
    const constraint =
      schema === undefined
        ? undefined
        : new GrammarConstraint(this.#grammars.of(schema), eosIds, limit, (token) => tokenizer.tokenBytes(token))
    return new SequenceGeneration({ tokenizer, eosIds, prompt: tokens, dropped, limit, options, constraint })
  }

  #prompt(prompt: Prompt, options: GenerationOptions): { tokens: number[]; dropped: number; limit: number } {
    const { tokenizer, config } = this.model
    // Documents are trained with the end token before them; so an empty prompt has something to continue, too.
    const ids = typeof prompt === 'string' ? tokenizer.encode(prompt) : prompt
    // Templates may write the beginning of the text themselves.
    const start = typeof prompt !== 'string' && prompt[0] === config.bosId ? null : config.bosId
    const { tokens, dropped } = fitPrompt(ids, start, config.context, options)
    if (tokens.length === 0)
      throw new LmError('EMPTY_PROMPT', 'The prompt is empty and the model has no start token. Give a prompt.')
    return { tokens, dropped, limit: Math.min(options.maxTokens ?? defaultMaxTokens, config.context - tokens.length) }
  }
}

async function last<T>(stream: AsyncGenerator<string, T>): Promise<T> {
  for (;;) {
    const { done, value } = await stream.next()
    if (done) return value
  }
}
