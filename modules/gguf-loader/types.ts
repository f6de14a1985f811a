import type { TextGeneration } from '@enigma/contracts'
import type { ServiceStatus } from '@enigma/engines'
import type { ModelFacts } from './messages.js'

/** Config of the module `gguf-loader`, checked against the schema in `module.yaml`. */
export interface GgufLoaderConfig {
  /** Path of the file. */
  readonly model?: string
  readonly context: number
  readonly parallel: number
  readonly gpuLayers: number
  readonly threads?: number
  readonly cacheType: 'f32' | 'f16' | 'q8_0'
  readonly maxTokens: number
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly repetitionPenalty: number
}

export interface GgufLoaderStatus extends ServiceStatus, ModelFacts {
  /** Of the process; undefined after a crash, until the next request starts it again. */
  readonly pid: number | undefined
  /** How often it had to be started again. */
  readonly restarts: number
}

/** What `getInterface('gguf-loader')` answers. */
export interface GgufLoader extends TextGeneration {
  status(): GgufLoaderStatus
}
