import type { Completion, GenerateOptions, TextGeneration } from '@enigma/contracts'
import type { BeamOptions, Tool, ToolAnswer, ToolChoice, ToolMessage } from '@enigma/lm'

/** Config of the module `inference`: defaults of every request; checked against the schema in `module.yaml`. */
export interface InferenceConfig {
  readonly maxTokens: number
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly repetitionPenalty: number
  /** Requests that are answered at a time; default 16, or what fits into 1 GiB. */
  readonly parallel?: number
  /** Requests that may wait for their turn. */
  readonly queueLimit: number
  /** Native threads; default all cores. */
  readonly threads?: number
  /** Where it is computed; default `cpu`. */
  readonly device?: 'cpu' | 'webgpu' | 'cuda'
}

export interface InferenceStatus {
  readonly model: string
  /** Whether a text is being generated now. */
  readonly busy: boolean
  /** Requests that can be answered at a time. */
  readonly parallel: number
  /** Slots for keys and values that there are by now; they keep what they have read for the next request that begins alike. */
  readonly slots: number
  /** Requests that are being answered. */
  readonly running: number
  /** Requests that wait for their turn. */
  readonly waiting: number
  /** Requests answered since the module was loaded. */
  readonly answered: number
  /** Tokens generated since then. */
  readonly tokens: number
  /** Of the last answer; 0 before the first. */
  readonly tokensPerSecond: number
}

/** Stop texts, log probabilities and formats do not go with beams; nothing is drawn. */
export interface BeamRequest extends Omit<GenerateOptions, 'stop' | 'logprobs' | 'topLogprobs' | 'responseFormat'>, BeamOptions {
  /** How many of the texts found are given, at most `beams`. Default 1. */
  readonly n?: number
}

/** A call is JSON of the tools' schema, so that it has no format of its own. */
export interface ToolRequest extends Omit<GenerateOptions, 'responseFormat'> {
  readonly tools: readonly Tool[]
  /** Default 'auto': the model decides. */
  readonly toolChoice?: ToolChoice
}

/** What `getInterface('inference')` answers. */
export interface Inference extends TextGeneration {
  /** `n` answers to one prompt, which is read once; each draws with a seed of its own. */
  choices(prompt: string, n: number, options?: GenerateOptions): Promise<Completion[]>
  /** The likeliest answers that a beam search finds, the best first. Rejects with the signal's reason when it is aborted. */
  beams(prompt: string, options: BeamRequest): Promise<(Completion & { readonly score: number })[]>
  /** Answers with text or with the call of a tool, whose arguments are valid under its `parameters`. */
  chatWithTools(messages: readonly ToolMessage[], options: ToolRequest): Promise<ToolAnswer & { readonly model: string }>
  status(): InferenceStatus
}

declare module '@enigma/kernel' {
  interface ModuleEvents {
    /** A conversation did not fit: this many messages were left out, and `trimmed` says whether the last one's beginning was, too. */
    'generation.truncated': { id: string; model: string; dropped: number; trimmed: boolean }
  }
}
