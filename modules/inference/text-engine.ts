import type { ChatMessage, Completion, GenerateOptions, Tokenization } from '@enigma/contracts'
import { PieceStream } from '@enigma/engines'
import type { ModuleContext } from '@enigma/kernel'
import {
  chatWithTools,
  type GenerationOptions,
  type GenerationResult,
  infillPrompt,
  LmError,
  memoryEstimate,
  type TextGenerator,
  type ToolAnswer,
  type ToolMessage,
} from '@enigma/lm'
import { RequestQueue } from './request-queue.js'
import type { BeamRequest, Inference, InferenceConfig, InferenceStatus, ToolRequest } from './types.js'

/** What is counted of an answer, and told. */
type Counted = Pick<GenerationResult, 'tokens' | 'tokensPerSecond'> & { readonly finishReason: ToolAnswer['finishReason'] }

/** What the engine tells of its requests, and to whom. */
export type EngineEvents = Pick<ModuleContext['events'], 'emit'>

interface Request {
  readonly prompt: string | readonly number[]
  /** Messages left out of the prompt. */
  readonly dropped: number
  /** Whether the beginning of the last message is left out. */
  readonly trimmed: boolean
}

/** Answers requests with one model, several at a time; the others wait in the order in which they came. */
export class TextEngine implements Inference {
  readonly model: string
  readonly #generator: TextGenerator
  readonly #tokens: Tokenization
  readonly #defaults: InferenceConfig
  readonly #events: EngineEvents
  readonly #queue: RequestQueue
  readonly #requestsOpen = new Set<AbortController>()
  #requests = 0
  #answered = 0
  #generated = 0
  #tokensPerSecond = 0

  constructor(generator: TextGenerator, tokens: Tokenization, defaults: InferenceConfig, events: EngineEvents) {
    this.model = generator.model.name
    this.#generator = generator
    this.#tokens = tokens
    this.#defaults = defaults
    this.#events = events
    this.#queue = new RequestQueue(generator.status.parallel, defaults.queueLimit)
  }

  /** @throws the signal's reason when it is aborted, as there is no way to say that the text is cut */
  async generate(prompt: string, options: GenerateOptions = {}): Promise<string> {
    return whole(this.stream(prompt, options))
  }

  complete(prompt: string, options: GenerateOptions = {}): Promise<Completion> {
    return this.stream(prompt, options).result
  }

  stream(prompt: string, options: GenerateOptions = {}): PieceStream {
    return this.#begin(() => ({ prompt: checkedPrompt(prompt), dropped: 0, trimmed: false }), options)
  }

  /** @throws the signal's reason when it is aborted */
  async chat(messages: readonly ChatMessage[] | string, options: GenerateOptions = {}): Promise<string> {
    return whole(this.streamChat(messages, options))
  }

  streamChat(messages: readonly ChatMessage[] | string, options: GenerateOptions = {}): PieceStream {
    const list: readonly ChatMessage[] = typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages
    return this.#begin(() => this.#generator.chatPrompt(list, options.maxTokens ?? this.#defaults.maxTokens), options)
  }

  infill(prefix: string, suffix: string, options: GenerateOptions = {}): PieceStream {
    const gap = () =>
      infillPrompt(this.#generator.model.tokenizer, { prefix: checkedPrompt(prefix), suffix: checkedPrompt(suffix) })
    // The marks stand at its ends: nothing may be cut off there.
    return this.#begin(() => ({ prompt: gap(), dropped: 0, trimmed: false }), { ...options, truncate: 'never' })
  }

  choices(prompt: string, n: number, options: GenerateOptions = {}): Promise<Completion[]> {
    const text = checkedPrompt(prompt)
    return this.#whole(text, options, (settings) => this.#generator.choices(text, n, settings))
  }

  beams(prompt: string, options: BeamRequest): Promise<(Completion & { readonly score: number })[]> {
    const text = checkedPrompt(prompt)
    const { beams, lengthPenalty = 1, earlyStopping = false, n = 1 } = options
    return this.#whole(text, options, (settings) =>
      this.#generator.beams(text, { ...settings, beams, lengthPenalty, earlyStopping, n }),
    )
  }

  async chatWithTools(messages: readonly ToolMessage[], options: ToolRequest): Promise<ToolAnswer & { readonly model: string }> {
    const said = messages.map(({ content }) => content ?? '').join('\n')
    const { tools, toolChoice = 'auto' } = options
    const [answer] = await this.#whole(said, options, async (settings) => [
      await chatWithTools(this.#generator, messages, { ...settings, tools, toolChoice }),
    ])
    return answer!
  }

  status(): InferenceStatus {
    const { parallel, slots } = this.#generator.status
    const { busy: running, waiting } = this.#queue
    const [answered, tokens, tokensPerSecond] = [this.#answered, this.#generated, this.#tokensPerSecond]
    return { model: this.model, busy: running > 0, parallel, slots, running, waiting, answered, tokens, tokensPerSecond }
  }

  /** Bytes: the weights as the native program packs them, and the slots that hold keys and values. */
  usage(): { readonly ram: number } {
    const { weights, kvCache } = memoryEstimate(this.#generator.model.config).inference
    return { ram: weights + kvCache * this.#generator.status.slots }
  }

  /** Ends all requests, waits until the native code has let go of them, and frees the model's program. */
  async close(reason: unknown): Promise<void> {
    for (const controller of this.#requestsOpen) controller.abort(reason)
    await this.#queue.idle()
    await this.#generator.close()
  }

  #begin(prepare: () => Request, options: GenerateOptions): PieceStream {
    const { controller, close } = this.#open(options.signal)
    const answer = async (push: (piece: string) => void) => {
      try {
        return await this.#answer(prepare(), options, controller.signal, push)
      } finally {
        close()
      }
    }
    return new PieceStream(answer, controller)
  }

  /** What ends a request: its own signal, or the engine's end. */
  #open(signal: AbortSignal | undefined): { readonly controller: AbortController; close(): void } {
    const controller = new AbortController()
    const follow = () => controller.abort(signal?.reason)
    if (signal?.aborted) follow()
    signal?.addEventListener('abort', follow, { once: true })
    this.#requestsOpen.add(controller)
    const close = () => {
      this.#requestsOpen.delete(controller)
      signal?.removeEventListener('abort', follow)
    }
    return { controller, close }
  }

  async #answer(
    { prompt, dropped, trimmed }: Request,
    options: GenerateOptions,
    signal: AbortSignal,
    push: (piece: string) => void,
  ): Promise<Completion> {
    const { model } = this
    const work = async (): Promise<Completion[]> => {
      const pieces = this.#generator.stream(prompt, this.#settings(options, signal))
      for (;;) {
        const next = await pieces.next()
        if (next.done) return [{ ...next.value, model }]
        push(next.value)
      }
    }
    const begun = (id: string) => {
      if (dropped > 0 || trimmed) this.#events.emit('generation.truncated', { id, model, dropped, trimmed })
    }
    try {
      const [completion] = await this.#inTurn(prompt, signal, work, begun)
      return completion!
    } catch (error) {
      // Aborted before its turn: nothing was begun.
      if (signal.aborted && error === signal.reason)
        return { text: '', tokens: 0, promptTokens: 0, tokensPerSecond: 0, finishReason: 'abort', model }
      throw error
    }
  }

  /** Answers that come at once. @throws the signal's reason when it is aborted, as some of them would be missing */
  async #whole<T extends Counted>(
    prompt: string,
    options: GenerateOptions,
    work: (settings: GenerationOptions) => Promise<readonly T[]>,
  ): Promise<(T & { readonly model: string })[]> {
    const { controller, close } = this.#open(options.signal)
    const { signal } = controller
    try {
      const answers = await this.#inTurn(prompt, signal, () => work(this.#settings(options, signal)))
      signal.throwIfAborted()
      return answers.map((answer) => ({ ...answer, model: this.model }))
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    } finally {
      close()
    }
  }

  /** Does the work of one request when it is its turn, and tells of it. @param begun is called first */
  async #inTurn<T extends Counted>(
    prompt: string | readonly number[],
    signal: AbortSignal,
    work: () => Promise<readonly T[]>,
    begun: (id: string) => void = () => undefined,
  ): Promise<readonly T[]> {
    const { model } = this
    const id = `generation-${++this.#requests}`
    begun(id)
    let started = false
    try {
      return await this.#queue.run(signal, async () => {
        started = true
        const promptTokens = typeof prompt === 'string' ? this.#tokens.encode(prompt).length : prompt.length
        this.#events.emit('generation.started', { id, model, promptTokens })
        const answers = await work()
        this.#finished(id, answers)
        return answers
      })
    } catch (error) {
      if (signal.aborted) {
        if (started) this.#finished(id, [{ tokens: 0, tokensPerSecond: 0, finishReason: 'abort' }])
        throw error
      }
      this.#events.emit('generation.failed', { id, model, message: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }

  #finished(id: string, answers: readonly Counted[]): void {
    const { model } = this
    const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0)
    const { tokensPerSecond, finishReason } = answers.at(-1)!
    this.#answered++
    this.#generated += tokens
    if (tokensPerSecond > 0) this.#tokensPerSecond = tokensPerSecond
    this.#events.emit('generation.finished', { id, model, tokens, tokensPerSecond, finishReason })
  }

  /** The request's settings over the module's. */
  #settings(options: GenerateOptions, signal: AbortSignal): GenerationOptions {
    const { maxTokens, temperature, topK, topP, repetitionPenalty } = this.#defaults
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    const defaults = { maxTokens, temperature, topK, topP, repetitionPenalty }
    return { ...defaults, ...given, signal }
  }
}

async function whole(stream: PieceStream): Promise<string> {
  const { text, finishReason } = await stream.result
  if (finishReason === 'abort') throw stream.left
  return text
}

function checkedPrompt(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt
  throw new LmError('INVALID_OPTION', `prompt must be a string, got ${prompt === null ? 'null' : typeof prompt}`)
}
