import { token } from '@enigma/kernel'
import type { Tool, ToolCall, ToolChoice, ToolMessage } from './tools.js'

/** What an answer must be: any text, any JSON object, or JSON that is valid under a JSON schema. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: boolean | Readonly<Record<string, unknown>> }

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
  /** Keep tokens whose surprise is near the expected one, up to this total probability, 0..1; 1 is off. */
  typicalP?: number
  /** Divides the logits of tokens that have appeared; 1 is off. */
  repetitionPenalty?: number
  /** Subtracted once from the logit of a token that has appeared; 0 is off. */
  presencePenalty?: number
  /** Subtracted for each time a token has appeared; 0 is off. */
  frequencyPenalty?: number
  /** Added to the logits of these token ids: -100 bans one, 100 all but forces it. */
  logitBias?: Readonly<Record<number, number>>
  /** Generation ends before the first of these texts; they are not part of the answer. */
  stop?: string[]
  /** Same seed, same text. */
  seed?: number
  /** Also give the log probability of every new token, and of this many alternatives (0..20). */
  logprobs?: boolean
  topLogprobs?: number
  /** A prompt longer than the context is an error ('never'), or loses its beginning ('oldest') or its middle; the answer says how much. */
  truncate?: 'never' | 'oldest' | 'middle'
  /** JSON is complete within `maxTokens`. Goes without `stop`. */
  responseFormat?: ResponseFormat
  signal?: AbortSignal
  /** Keep keys and values of earlier positions; false computes each step from the start. */
  cache?: boolean
}

export type FinishReason = 'stop' | 'length' | 'abort' | 'tool_calls'

interface TokenProbability {
  readonly token: string
  /** Natural logarithm. */
  readonly logprob: number
  readonly bytes: readonly number[]
}

/** One new token, in the shape of OpenAI's `logprobs.content`. */
export interface TokenLogprob extends TokenProbability {
  readonly top_logprobs: readonly TokenProbability[]
}

export interface Completion {
  /** The new text only, never the prompt. */
  readonly text: string
  /** New tokens, a count. */
  readonly tokens: number
  readonly promptTokens: number
  /** Of them, those that needed no reading, as an earlier text began alike. */
  readonly cachedTokens?: number
  readonly tokensPerSecond: number
  /** `stop`: end token or stop text; `length`: the limit; `abort`: the signal; `tool_calls`: a tool is called. */
  readonly finishReason: FinishReason
  readonly model: string
  /** The stop text that ended it. */
  readonly stopString?: string
  /** Tokens of the prompt that `truncate` left out. */
  readonly droppedTokens?: number
  readonly logprobs?: { readonly content: readonly TokenLogprob[] }
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

/** A call is JSON of the tools' schema, so that it has no format of its own. */
export interface ToolRequest extends Omit<GenerateOptions, 'responseFormat'> {
  readonly tools: readonly Tool[]
  readonly toolChoice?: ToolChoice
}

export interface ToolAnswer extends Omit<Completion, 'text'> {
  /** What the assistant says; null when it only calls. */
  readonly content: string | null
  readonly toolCalls: readonly ToolCall[]
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
  /**
   * Writes what stands between two texts. Left out by engines that never can; rejects where the model that is loaded cannot.
   */
  infill?(prefix: string, suffix: string, options?: GenerateOptions): GenerationStream
  /** Answers with text or with the call of a tool, whose arguments are valid under its `parameters`. Providers that cannot lack it. */
  chatWithTools?(messages: readonly ToolMessage[], options: ToolRequest): Promise<ToolAnswer>
}

export const TextGeneration = token<TextGeneration>('text-generation', '1.0')
