import type { TextGeneration } from '@enigma/contracts'
import type { ServiceStatus } from '@enigma/engines'

/** Config of the module `chat-api`, checked against the schema in `module.yaml`. */
export interface ChatApiConfig {
  readonly baseUrl: string
  readonly model: string
  readonly apiKey?: string
  readonly raw: 'completions' | 'chat'
  readonly extensions: boolean
  readonly maxTokens: number
  readonly temperature?: number
  readonly topP?: number
  /** Seconds. */
  readonly timeout: number
  readonly retries: number
}

/** What `getInterface('chat-api')` answers. */
export interface ChatApi extends TextGeneration {
  status(): ServiceStatus & { readonly server: string }
  /** Names of the models that the server has. */
  models(signal?: AbortSignal): Promise<string[]>
}
