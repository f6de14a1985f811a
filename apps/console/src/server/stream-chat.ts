import { ask, ServerError } from './ask.js'
import { chunksOf } from './chunks.js'
import { serverEvents } from './sse.js'

export interface Turn {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Left out fields take the defaults of the module that answers. */
export interface Sampling {
  readonly temperature?: number
  readonly top_p?: number
  readonly top_k?: number
  readonly max_tokens?: number
  readonly repetition_penalty?: number
  readonly seed?: number
}

export interface Piece {
  readonly text: string
  /** Of the whole answer; comes last. */
  readonly tokens?: number
  readonly tokensPerSecond?: number
  readonly finishReason?: string
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[]
  readonly usage?: { readonly completion_tokens: number } | null
  readonly timings?: { readonly predicted_per_second: number }
  readonly error?: { readonly message: string; readonly code: string | null }
}

/** Pieces of an answer as they come. @throws ServerError, also in the middle */
export async function* streamChat(
  model: string,
  messages: readonly Turn[],
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const json = { model, messages, stream: true, stream_options: { include_usage: true }, ...sampling }
  const { body } = await ask('/v1/chat/completions', { json, signal })
  for await (const { data } of serverEvents(chunksOf(body!))) {
    if (data === '[DONE]') return
    const { choices, usage, timings, error } = JSON.parse(data) as Chunk
    if (error) throw new ServerError(error.message, 500, error.code)
    const [choice] = choices
    yield {
      text: choice?.delta.content ?? '',
      ...(choice?.finish_reason && { finishReason: choice.finish_reason }),
      ...(usage && { tokens: usage.completion_tokens }),
      ...(timings && { tokensPerSecond: timings.predicted_per_second }),
    }
  }
  throw new ServerError('The answer broke off: the server has gone.', 0, 'broken_off')
}
