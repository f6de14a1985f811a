import { type EngineEvents, type OpenAiEngine, type ServiceStatus, TextService } from '@enigma/engines'
import type { ChatApi, ChatApiConfig } from './types.js'

/** `text-generation` by a server. */
export class ChatService extends TextService implements ChatApi {
  readonly #engine: OpenAiEngine

  constructor(engine: OpenAiEngine, { maxTokens, temperature, topP }: ChatApiConfig, events: EngineEvents) {
    const given = { ...(temperature !== undefined && { temperature }), ...(topP !== undefined && { topP }) }
    super(engine, { events, defaults: { maxTokens, ...given } })
    this.#engine = engine
  }

  override status(): ServiceStatus & { readonly server: string } {
    return { ...super.status(), server: this.#engine.server }
  }

  models(signal: AbortSignal = new AbortController().signal): Promise<string[]> {
    return this.#engine.models(signal)
  }
}
