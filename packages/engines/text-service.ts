import type { ChatMessage, Completion, GenerateOptions, GenerationStream, TextGeneration } from '@enigma/contracts'
import type { ModuleContext } from '@enigma/kernel'
import { EngineError } from './engine-error.js'
import { PieceStream } from './piece-stream.js'

/** What is asked of an engine. */
export type Ask =
  | { readonly kind: 'text'; readonly prompt: string }
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] }
  | { readonly kind: 'infill'; readonly prefix: string; readonly suffix: string }

export interface AnswerRequest {
  readonly ask: Ask
  /** With the service's defaults where the request said nothing. */
  readonly options: Omit<GenerateOptions, 'signal'>
  readonly signal: AbortSignal
  /** To be called when work begins, with what is known of the prompt. */
  begun(prompt: { readonly tokens?: number; readonly dropped?: number; readonly trimmed?: boolean }): void
  /** Gives out new text, whole characters only. */
  push(piece: string): void
}

export type Answer = Omit<Completion, 'model'>

/** What an engine does by itself; {@link TextService} makes the capability of it. */
export interface TextSource {
  readonly model: string
  /** Rejects when the signal is aborted, or resolves with what there is. */
  answer(request: AnswerRequest): Promise<Answer>
}

/** What a service tells of its requests, and to whom. */
export type EngineEvents = Pick<ModuleContext['events'], 'emit'>

export interface TextServiceOptions {
  readonly events: EngineEvents
  /** Of every request. */
  readonly defaults: Omit<GenerateOptions, 'signal'>
}

export interface ServiceStatus {
  readonly model: string
  /** Requests that are being answered or wait for it. */
  readonly running: number
  /** Requests answered since the module was loaded. */
  readonly answered: number
  /** Tokens generated since then. */
  readonly tokens: number
  /** Of the last answer; 0 before the first. */
  readonly tokensPerSecond: number
}

/** `text-generation` by some engine: counts requests, tells of them, streams, and ends what is aborted. */
export class TextService implements TextGeneration {
  readonly #source: TextSource
  readonly #defaults: TextServiceOptions['defaults']
  readonly #events: EngineEvents
  readonly #open = new Map<AbortController, Promise<unknown>>()
  #requests = 0
  #answered = 0
  #tokens = 0
  #tokensPerSecond = 0

  constructor(source: TextSource, { events, defaults }: TextServiceOptions) {
    this.#source = source
    this.#events = events
    this.#defaults = present(defaults)
  }

  get model(): string {
    return this.#source.model
  }

  /** @throws the signal's reason when it is aborted, as there is no way to say that the text is cut */
  async generate(prompt: string, options: GenerateOptions = {}): Promise<string> {
    return whole(this.stream(prompt, options))
  }

  complete(prompt: string, options: GenerateOptions = {}): Promise<Completion> {
    return this.stream(prompt, options).result
  }

  stream(prompt: string, options: GenerateOptions = {}): PieceStream {
    return this.#begin(() => ({ kind: 'text', prompt: text('prompt', prompt) }), options)
  }

  /** @throws the signal's reason when it is aborted */
  async chat(messages: readonly ChatMessage[] | string, options: GenerateOptions = {}): Promise<string> {
    return whole(this.streamChat(messages, options))
  }

  streamChat(messages: readonly ChatMessage[] | string, options: GenerateOptions = {}): PieceStream {
    const list = typeof messages === 'string' ? [{ role: 'user' as const, content: messages }] : messages
    return this.#begin(() => ({ kind: 'chat', messages: list }), options)
  }

  infill(prefix: string, suffix: string, options: GenerateOptions = {}): GenerationStream {
    return this.#begin(() => ({ kind: 'infill', prefix: text('prefix', prefix), suffix: text('suffix', suffix) }), options)
  }

  status(): ServiceStatus {
    const [running, answered, tokens, tokensPerSecond] = [this.#open.size, this.#answered, this.#tokens, this.#tokensPerSecond]
    return { model: this.model, running, answered, tokens, tokensPerSecond }
  }

  /** Aborts all requests and waits until they have ended. */
  async close(reason: unknown): Promise<void> {
    for (const controller of this.#open.keys()) controller.abort(reason)
    await Promise.allSettled(this.#open.values())
  }

  #begin(ask: () => Ask, { signal, ...options }: GenerateOptions): PieceStream {
    const controller = new AbortController()
    const follow = () => controller.abort(signal?.reason)
    if (signal?.aborted) follow()
    signal?.addEventListener('abort', follow, { once: true })
    const settings = { ...this.#defaults, ...present(options) }
    const stream = new PieceStream(async (push) => this.#answer(ask(), settings, controller.signal, push), controller)
    this.#open.set(controller, stream.result)
    const close = () => {
      this.#open.delete(controller)
      signal?.removeEventListener('abort', follow)
    }
    stream.result.then(close, close)
    return stream
  }

  async #answer(
    ask: Ask,
    options: AnswerRequest['options'],
    signal: AbortSignal,
    push: (piece: string) => void,
  ): Promise<Completion> {
    const { model } = this
    const id = `generation-${++this.#requests}`
    let [started, given, pieces] = [false, '', 0]
    const begun: AnswerRequest['begun'] = ({ tokens, dropped = 0, trimmed = false }) => {
      started = true
      if (dropped > 0 || trimmed) this.#events.emit('generation.truncated', { id, model, dropped, trimmed })
      this.#events.emit('generation.started', { id, model, ...(tokens !== undefined && { promptTokens: tokens }) })
    }
    const hand = (piece: string) => {
      if (piece === '') return
      given += piece
      pieces++
      push(piece)
    }
    const finished = (answer: Answer): Completion => {
      const { tokens, tokensPerSecond, finishReason } = answer
      if (started) {
        this.#answered++
        this.#tokens += tokens
        if (tokensPerSecond > 0) this.#tokensPerSecond = tokensPerSecond
        this.#events.emit('generation.finished', { id, model, tokens, tokensPerSecond, finishReason })
      }
      return { ...answer, model }
    }
    try {
      signal.throwIfAborted()
      return finished(await this.#source.answer({ ask, options, signal, begun, push: hand }))
    } catch (error) {
      // What came before an abort is an answer, if a short one. Each piece is taken for a token: nobody has counted them.
      if (signal.aborted)
        return finished({ text: given, tokens: pieces, promptTokens: 0, tokensPerSecond: 0, finishReason: 'abort' })
      this.#events.emit('generation.failed', { id, model, message: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }
}

async function whole(stream: PieceStream): Promise<string> {
  const { text, finishReason } = await stream.result
  if (finishReason === 'abort') throw stream.left
  return text
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new EngineError('INVALID_OPTION', `${name} must be a string, got ${value === null ? 'null' : typeof value}`)
}

/** Without what is undefined, so that it does not hide what lies under it. */
function present<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
