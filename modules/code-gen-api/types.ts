import type { CodeGeneration } from '@enigma/contracts'

/** Config of the module `code-gen-api`, checked against the schema in `module.yaml`. */
export interface CodeGenApiConfig {
  readonly baseUrl: string
  readonly model: string
  readonly apiKey?: string
  readonly maxTokens: number
  readonly temperature: number
  /** Seconds. */
  readonly timeout: number
  readonly retries: number
}

/** What `getInterface('code-gen-api')` answers. */
export type CodeGenApi = CodeGeneration
