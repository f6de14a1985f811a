import { randomUUID } from 'node:crypto'
import type { Completion, GenerateOptions, GenerationStream, TextGeneration } from '@enigma/contracts'
import { ApiError } from '../http/api-error.js'
import type { ServerContext } from '../server-context.js'
import { merge } from './merge.js'

// What chats and completions have in common: who answers, several texts at once, and their counts.

/** @throws ApiError 503 when nothing generates text, 404 when `model` is another than the one that does */
export function engineFor({ generation }: ServerContext, model: string): TextGeneration {
  const engine = generation()
  if (!engine)
    throw new ApiError(503, 'no_provider', "Nothing here generates text. Load a module that does, such as 'inference'.", {
      retryAfter: 5,
    })
  if (model !== engine.model)
    throw new ApiError(404, 'model_not_found', `The model '${model}' is not loaded. Loaded: ${engine.model}.`, { param: 'model' })
  return engine
}

export interface Answer {
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
}

export const newAnswer = (prefix: string): Answer => ({
  id: `${prefix}-${randomUUID().replaceAll('-', '')}`,
  created: Math.floor(Date.now() / 1000),
})

/** Options for the text number `index` of several: its own seed where one was given. */
export const optionsFor = (options: GenerateOptions, index: number): GenerateOptions =>
  options.seed === undefined || index === 0 ? options : { ...options, seed: options.seed + index }

/** The pieces of several texts as they come, and each text's completion at its end. */
export function pieces(streams: readonly GenerationStream[]) {
  return merge(
    streams.map(async function* (stream): AsyncGenerator<string, Completion> {
      yield* stream
      return stream.result
    }),
  )
}

type Counted = Pick<Completion, 'tokens' | 'promptTokens'> & { readonly cachedTokens?: number }

export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

/** Of several answers to one prompt, or to several when `prompts` differ: each prompt is counted once. */
export function usageOf(answers: readonly Counted[], answersPerPrompt: number = answers.length): Usage {
  const firsts = answers.filter((_, index) => index % answersPerPrompt === 0)
  const prompt = firsts.reduce((sum, { promptTokens }) => sum + promptTokens, 0)
  const completion = answers.reduce((sum, { tokens }) => sum + tokens, 0)
  const cached = firsts.reduce((sum, { cachedTokens = 0 }) => sum + cachedTokens, 0)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  }
}

/** Not OpenAI's: how fast it was, as llama.cpp's server tells it. */
export const timingsOf = (answers: readonly Pick<Completion, 'tokensPerSecond'>[]) => ({
  predicted_per_second: answers.reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0),
})

/** The whole text. The stream is read: a provider counts it as under way until it is. */
export async function completed(stream: GenerationStream): Promise<Completion> {
  for await (const _ of stream);
  return unlessAborted(await stream.result)
}

/** @throws the reason of the abort: half an answer must not pass for a whole */
export function unlessAborted<T extends { readonly finishReason: string }>(answer: T): T {
  if (answer.finishReason === 'abort') throw new ApiError(503, 'aborted', 'The answer was ended before it was whole.')
  return answer
}
