import { type EngineEvents, TextService } from '@enigma/engines'
import type { LlamaProcess } from './llama-process.js'
import type { GgufLoader, GgufLoaderConfig, GgufLoaderStatus } from './types.js'

/** `text-generation` by llama.cpp. */
export class GgufService extends TextService implements GgufLoader {
  readonly #process: LlamaProcess

  constructor(process: LlamaProcess, config: GgufLoaderConfig, events: EngineEvents) {
    const { maxTokens, temperature, topK, topP, repetitionPenalty } = config
    super(process, { events, defaults: { maxTokens, temperature, topK, topP, repetitionPenalty } })
    this.#process = process
  }

  override status(): GgufLoaderStatus {
    const { pid, restarts, facts } = this.#process
    return { ...super.status(), ...facts, pid, restarts }
  }
}
