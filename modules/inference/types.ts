import type { TextGeneration } from '@enigma/contracts'

/** Config of the module `inference`: defaults of every request; checked against the schema in `module.yaml`. */
export interface InferenceConfig {
  readonly maxTokens: number
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly repetitionPenalty: number
  /** Native threads; default all cores. */
  readonly threads?: number
  /** Where it is computed; default `cpu`. */
  readonly device?: 'cpu' | 'webgpu' | 'cuda'
}

export interface InferenceStatus {
  readonly model: string
  /** Whether a text is being generated now. */
  readonly busy: boolean
  /** Requests that wait for their turn. */
  readonly waiting: number
  /** Requests answered since the module was loaded. */
  readonly answered: number
  /** Tokens generated since then. */
  readonly tokens: number
  /** Of the last answer; 0 before the first. */
  readonly tokensPerSecond: number
}

/** What `getInterface('inference')` answers. */
export interface Inference extends TextGeneration {
  status(): InferenceStatus
}

declare module '@enigma/kernel' {
  interface ModuleEvents {
    /** A conversation did not fit: this many messages were left out, and `trimmed` says whether the last one's beginning was, too. */
    'generation.truncated': { id: string; model: string; dropped: number; trimmed: boolean }
  }
}
