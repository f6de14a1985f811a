import type { Completion, GenerateOptions, TextGeneration, ToolAnswer } from '@enigma/contracts'
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../http/api-error.js'
import type { ServerContext } from '../server-context.js'
import { sendEvents } from './event-stream.js'
import { chatMessages, chatOptions, toolMessages } from './generate-options.js'
import {
  type Answer,
  completed,
  engineFor,
  newAnswer,
  optionsFor,
  pieces,
  timingsOf,
  unlessAborted,
  usageOf,
} from './generations.js'
import type { ChatRequest } from './requests.js'
import { chatSchema } from './schemas.js'

export function chatCompletions(server: FastifyInstance, context: ServerContext): void {
  server.post<{ Body: ChatRequest }>(
    '/v1/chat/completions',
    { schema: { body: chatSchema, tags: ['OpenAI'], summary: 'Answer a conversation' } },
    async ({ body }, reply) => {
      const engine = engineFor(context, body.model)
      const ask = asked(engine, body)
      const signal = context.gate.enter(reply)
      return body.stream ? sendEvents(reply, ask.events(signal)) : ask.whole(signal)
    },
  )
}

/** One request, answered at once or in pieces. */
interface Asked {
  whole(signal: AbortSignal): Promise<object>
  events(signal: AbortSignal): AsyncGenerator<object>
}

const asked = (engine: TextGeneration, request: ChatRequest): Asked =>
  request.tools?.length ? withTools(engine, request) : withoutTools(engine, request)

function withoutTools(engine: TextGeneration, request: ChatRequest): Asked {
  const messages = chatMessages(request.messages)
  const options = chatOptions(request)
  const answer = newAnswer('chatcmpl')
  const start = (signal: AbortSignal) =>
    Array.from({ length: request.n ?? 1 }, (_, index) => engine.streamChat(messages, { ...optionsFor(options, index), signal }))
  return {
    async whole(signal) {
      const completions = await Promise.all(start(signal).map(completed))
      const choices = completions.map(({ text, ...completion }) => choiceOf({ ...completion, content: text, toolCalls: [] }))
      return response(answer, engine.model, choices, completions)
    },
    async *events(signal) {
      const chunk = chunksOf(answer, engine.model, request)
      const streams = start(signal)
      const completions: Completion[] = []
      // What the first piece waits for may fail: nothing is sent before it.
      let begun = false
      for await (const event of pieces(streams)) {
        if (!begun) for (const [index] of streams.entries()) yield chunk(index, { role: 'assistant', content: '' })
        begun = true
        if ('value' in event) yield chunk(event.index, { content: event.value })
        else {
          completions.push(unlessAborted(event.result))
          yield chunk(event.index, {}, event.result)
        }
      }
      yield* lastChunk(answer, engine.model, request, completions)
    },
  }
}

/** A call is known when it is whole, so that its pieces come together. */
function withTools(engine: TextGeneration, request: ChatRequest): Asked {
  const { tools = [], tool_choice: toolChoice = 'auto', n } = request
  if (!engine.chatWithTools)
    throw new ApiError(400, 'tools_unsupported', `What answers for '${engine.model}' cannot call tools.`, { param: 'tools' })
  const { responseFormat, ...options } = chatOptions(request)
  if (responseFormat)
    throw new ApiError(400, 'invalid_request', "'response_format' does not go with 'tools': a call has its tool's schema.", {
      param: 'response_format',
    })
  const messages = toolMessages(request.messages)
  const answer = newAnswer('chatcmpl')
  const ask = (signal: AbortSignal) =>
    Promise.all(
      Array.from({ length: n ?? 1 }, async (_, index) => {
        const settings: GenerateOptions = { ...optionsFor(options, index), signal }
        return unlessAborted(await engine.chatWithTools!(messages, { ...settings, tools, toolChoice }))
      }),
    )
  return {
    async whole(signal) {
      const answers = await ask(signal)
      return response(answer, engine.model, answers.map(choiceOf), answers)
    },
    async *events(signal) {
      const chunk = chunksOf(answer, engine.model, request)
      const answers = await ask(signal)
      for (const [index, given] of answers.entries()) {
        yield chunk(index, { role: 'assistant', content: given.content })
        for (const [place, { id, type, function: called }] of given.toolCalls.entries()) {
          yield chunk(index, { tool_calls: [{ index: place, id, type, function: { name: called.name, arguments: '' } }] })
          yield chunk(index, { tool_calls: [{ index: place, function: { arguments: called.arguments } }] })
        }
        yield chunk(index, {}, given)
      }
      yield* lastChunk(answer, engine.model, request, answers)
    },
  }
}

type Ended = Pick<Completion, 'finishReason' | 'logprobs'>
type Counted = Pick<Completion, 'tokens' | 'promptTokens' | 'tokensPerSecond'>

const choiceOf = ({ content, toolCalls, finishReason, logprobs }: ToolAnswer, index = 0) => ({
  index,
  message: {
    role: 'assistant',
    content,
    refusal: null,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  },
  logprobs: logprobs ? { content: logprobs.content, refusal: null } : null,
  finish_reason: finishReason,
})

const response = ({ id, created }: Answer, model: string, choices: readonly object[], answers: readonly Counted[]) => ({
  id,
  object: 'chat.completion',
  created,
  model,
  choices: choices.map((choice, index) => ({ ...choice, index })),
  usage: usageOf(answers),
  timings: timingsOf(answers),
})

/** Makes the chunks of one answer. Log probabilities come with the last of a text. */
function chunksOf({ id, created }: Answer, model: string, { stream_options: streamed }: ChatRequest) {
  const usage = streamed?.include_usage ? { usage: null } : {}
  return (index: number, delta: object, ended?: Ended) => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [
      {
        index,
        delta,
        logprobs: ended?.logprobs ? { content: ended.logprobs.content, refusal: null } : null,
        finish_reason: ended?.finishReason ?? null,
      },
    ],
    ...usage,
  })
}

/** The counts, where they were asked for. */
function* lastChunk(
  { id, created }: Answer,
  model: string,
  { stream_options: streamed }: ChatRequest,
  answers: readonly Counted[],
) {
  if (!streamed?.include_usage) return
  const [usage, timings] = [usageOf(answers), timingsOf(answers)]
  yield { id, object: 'chat.completion.chunk', created, model, choices: [], usage, timings }
}
