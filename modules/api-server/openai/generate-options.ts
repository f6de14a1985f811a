import type { ChatMessage, GenerateOptions, ResponseFormat, ToolMessage } from '@enigma/contracts'
import { ApiError } from '../http/api-error.js'
import type { ChatRequest, Content, RequestMessage, SamplingRequest } from './requests.js'

// From OpenAI's words to ours. Pure.

/** What is null or absent is left to the module that generates. */
export function generateOptions(request: SamplingRequest): GenerateOptions {
  const { stop, logit_bias } = request
  const given = {
    maxTokens: request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    minP: request.min_p,
    repetitionPenalty: request.repetition_penalty,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    seed: request.seed,
    logitBias: logit_bias && Object.fromEntries(Object.entries(logit_bias).map(([id, bias]) => [tokenId(id), bias])),
    stop: typeof stop === 'string' ? [stop] : stop && [...stop],
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null))
}

export function chatOptions(request: ChatRequest): GenerateOptions {
  const { logprobs, top_logprobs, max_completion_tokens } = request
  const responseFormat = formatOf(request)
  return {
    ...generateOptions(request),
    ...(max_completion_tokens && { maxTokens: max_completion_tokens }),
    ...(logprobs && { logprobs, topLogprobs: top_logprobs ?? 0 }),
    ...(responseFormat && { responseFormat }),
  }
}

function formatOf({ response_format: format }: ChatRequest): ResponseFormat | undefined {
  if (!format || format.type === 'text') return undefined
  if (format.type === 'json_object') return { type: 'json_object' }
  if (format.json_schema) return { type: 'json_schema', schema: format.json_schema.schema }
  throw new ApiError(400, 'invalid_request', "response_format of type json_schema needs 'json_schema': { name, schema }.", {
    param: 'response_format.json_schema',
  })
}

function tokenId(text: string): number {
  const id = Number(text)
  if (Number.isInteger(id) && id >= 0) return id
  throw new ApiError(400, 'invalid_request', `logit_bias: '${text}' is no token id.`, { param: 'logit_bias' })
}

/** A conversation without tools. */
export function chatMessages(messages: readonly RequestMessage[]): ChatMessage[] {
  return messages.map((message, index) => {
    const { role } = message
    if (role === 'tool' || message.tool_calls)
      throw new ApiError(400, 'invalid_request', `messages.${index} is of a tool, but the request has no 'tools'.`, {
        param: 'tools',
      })
    return { role: role === 'developer' ? 'system' : role, content: text(message.content, index) }
  })
}

/** A conversation in which tools may have been called. */
export function toolMessages(messages: readonly RequestMessage[]): ToolMessage[] {
  return messages.map((message, index): ToolMessage => {
    const { role, content, tool_calls, tool_call_id } = message
    if (role === 'assistant')
      return tool_calls?.length
        ? { role, content: content ? text(content, index) : null, tool_calls }
        : { role, content: text(content, index) }
    if (role !== 'tool') return { role: role === 'developer' ? 'system' : role, content: text(content, index) }
    if (tool_call_id === undefined)
      throw new ApiError(400, 'invalid_request', `messages.${index} answers a tool and needs 'tool_call_id'.`, {
        param: `messages.${index}.tool_call_id`,
      })
    return { role, content: text(content, index), tool_call_id }
  })
}

function text(content: Content | undefined, index: number): string {
  const param = `messages.${index}.content`
  if (content === undefined || content === null) throw new ApiError(400, 'invalid_request', `${param} is missing.`, { param })
  if (typeof content === 'string') return content
  const other = content.find(({ type }) => type !== 'text')
  if (other) throw new ApiError(400, 'unsupported_content', `${param}: this model reads text, not '${other.type}'.`, { param })
  return content.map((part) => part.text).join('')
}
