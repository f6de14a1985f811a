import { EngineError } from '../engine-error.js'
import type { Answer, AnswerRequest, Ask, TextSource } from '../text-service.js'
import { AnswerFold } from './answer-fold.js'
import { fieldsOf, listOf, textOf } from './json.js'
import { OpenAiServer, type OpenAiServerOptions } from './openai-server.js'
import { type Endpoint, requestFields } from './request-fields.js'

export interface OpenAiEngineOptions extends OpenAiServerOptions {
  /** As the server calls it. */
  readonly model: string
  /** How a text is continued: by `/completions`, or as the one message of a chat, for servers that have chats only. */
  readonly raw: 'completions' | 'chat'
  /** Whether the server takes options beyond OpenAI's: `top_k`, `min_p`, `typical_p`, `repetition_penalty`. */
  readonly extensions: boolean
}

/** Answers by asking a server. Nothing is kept between requests. */
export class OpenAiEngine implements TextSource {
  readonly model: string
  readonly #server: OpenAiServer
  readonly #options: OpenAiEngineOptions

  /** @throws EngineError INVALID_OPTION */
  constructor(options: OpenAiEngineOptions) {
    this.model = options.model
    this.#options = options
    this.#server = new OpenAiServer(options)
  }

  /** Where it asks. */
  get server(): string {
    return this.#server.name
  }

  async answer({ ask, options, signal, begun, push }: AnswerRequest): Promise<Answer> {
    const { endpoint, path, body } = this.#question(ask)
    const limit = new URL(this.#server.name).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens'
    const fields = requestFields(options, { endpoint, limit, extensions: this.#options.extensions })
    begun({})
    const fold = new AnswerFold(this.#server.name)
    const whole = { model: this.model, ...body, ...fields, stream: true, stream_options: { include_usage: true } }
    for await (const event of this.#server.stream(path, whole, signal)) push(fold.push(event))
    const { rest, answer } = fold.end()
    push(rest)
    return answer
  }

  /** Names of the models that the server has. @throws EngineError */
  async models(signal: AbortSignal): Promise<string[]> {
    const { data } = fieldsOf(await this.#server.get('/models', signal))
    return listOf(data).flatMap((model) => textOf(fieldsOf(model).id) ?? [])
  }

  #question(ask: Ask): { readonly endpoint: Endpoint; readonly path: string; readonly body: object } {
    switch (ask.kind) {
      case 'chat':
        return chat(ask.messages)
      case 'infill':
        return text({ prompt: ask.prefix, suffix: ask.suffix })
      case 'text':
        if (this.#options.raw === 'chat') return chat([{ role: 'user', content: ask.prompt }])
        return text({ prompt: ask.prompt })
    }
  }
}

const text = (body: object) => ({ endpoint: 'text', path: '/completions', body }) as const

function chat(messages: Extract<Ask, { kind: 'chat' }>['messages']) {
  if (messages.length === 0) throw new EngineError('INVALID_OPTION', 'A chat must hold at least one message.')
  return { endpoint: 'chat', path: '/chat/completions', body: { messages } } as const
}
