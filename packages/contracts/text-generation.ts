import { token } from '@enigma/kernel'

/** How to generate. Unset fields take the defaults of the module that generates. */
export interface GenerateOptions {
  /** New tokens at most. */
  maxTokens?: number
  /** 0 takes the most likely token every time; 1 samples the model's own distribution. */
  temperature?: number
  /** Keep the k most likely tokens; 0 keeps all. */
  topK?: number
  /** Keep the most likely tokens up to this total probability, 0..1. */
  topP?: number
  /** Keep tokens at least this share as likely as the most likely one, 0..1. */
  minP?: number
  /** Divides the logits of tokens that have appeared; 1 is off. */
  repetitionPenalty?: number
  /** Subtracted once from the logit of a token that has appeared; 0 is off. */
  presencePenalty?: number
  /** Subtracted for each time a token has appeared; 0 is off. */
  frequencyPenalty?: number
  /** Generation ends before the first of these texts; they are not part of the answer. */
  stop?: string[]
  /** Same seed, same text. */
  seed?: number
  signal?: AbortSignal
  /** Keep keys and values of earlier positions; false computes each step from the start. */
  cache?: boolean
}

export type FinishReason = 'stop' | 'length' | 'abort'

export interface Completion {
  /** The new text only, never the prompt. */
  readonly text: string
  /** New tokens, a count. */
  readonly tokens: number
  readonly promptTokens: number
  readonly tokensPerSecond: number
  /** `stop`: end token or stop text; `length`: the limit; `abort`: the signal. */
  readonly finishReason: FinishReason
  readonly model: string
}

/** Pieces of new text as they come. Leaving the loop ends the generation. */
export interface GenerationStream extends AsyncIterable<string> {
  /** The whole answer, once the stream has ended. */
  readonly result: Promise<Completion>
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Continues text. Every result is the new text only, never the prompt. */
export interface TextGeneration {
  /** Name of the model that answers. */
  readonly model: string
  generate(prompt: string, options?: GenerateOptions): Promise<string>
  complete(prompt: string, options?: GenerateOptions): Promise<Completion>
  stream(prompt: string, options?: GenerateOptions): GenerationStream
  /** A string is one user message. Returns the assistant's answer. */
  chat(messages: readonly ChatMessage[] | string, options?: GenerateOptions): Promise<string>
  streamChat(messages: readonly ChatMessage[] | string, options?: GenerateOptions): GenerationStream
}

export const TextGeneration = token<TextGeneration>('text-generation', '1.0')
