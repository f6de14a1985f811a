import type { Answer, AnswerRequest, Ask } from '@enigma/engines'

/** What a process of llama.cpp is to load. */
export interface LoadOptions {
  readonly file: string
  /** Tokens; at most what the model was trained with. */
  readonly context: number
  readonly parallel: number
  readonly gpuLayers: number
  readonly threads: number
  readonly cacheType: 'f32' | 'f16' | 'q8_0'
  /** The npm package that brings llama.cpp. */
  readonly library: string
}

/** What is known once it is loaded. */
export interface ModelFacts {
  /** Tokens that a text and its continuation may have. */
  readonly context: number
  /** As llama.cpp calls it: `llama 7B Q4_0`. */
  readonly kind: string
  /** Bytes that the weights take. */
  readonly ram: number
  readonly vram: number
  /** Whether it can write what stands between two texts. */
  readonly infill: boolean
  /** What computes: `cpu`, `cuda`, `vulkan`, `metal`. */
  readonly device: string
}

/** What the process is told. Losing the connection means the end. */
export type ToWorker =
  | { readonly type: 'load'; readonly options: LoadOptions }
  | { readonly type: 'answer'; readonly id: number; readonly ask: Ask; readonly options: AnswerRequest['options'] }
  | { readonly type: 'abort'; readonly id: number }

/** An error on its way between processes. */
export interface SentError {
  readonly name: string
  readonly code: string | undefined
  readonly message: string
}

/** What the process tells. */
export type FromWorker =
  | { readonly type: 'ready'; readonly facts: ModelFacts }
  | { readonly type: 'unusable'; readonly error: SentError }
  | { readonly type: 'begun'; readonly id: number; readonly prompt: Parameters<AnswerRequest['begun']>[0] }
  | { readonly type: 'piece'; readonly id: number; readonly text: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'error'; readonly id: number; readonly error: SentError }
