import type { Completion, TextGeneration } from '@enigma/contracts'
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../http/api-error.js'
import type { ServerContext } from '../server-context.js'
import { sendEvents } from './event-stream.js'
import { generateOptions } from './generate-options.js'
import { completed, engineFor, newAnswer, optionsFor, pieces, timingsOf, unlessAborted, usageOf } from './generations.js'
import type { CompletionRequest } from './requests.js'
import { completionSchema } from './schemas.js'

export function completions(server: FastifyInstance, context: ServerContext): void {
  server.post<{ Body: CompletionRequest }>(
    '/v1/completions',
    { schema: { body: completionSchema, tags: ['OpenAI'], summary: 'Continue a text' } },
    async ({ body }, reply) => {
      const engine = engineFor(context, body.model)
      refuse(body)
      const signal = context.gate.enter(reply)
      return body.stream ? sendEvents(reply, events(engine, body, signal)) : whole(engine, body, signal)
    },
  )
}

/** What old completions could and this cannot. */
function refuse({ echo, logprobs }: CompletionRequest): void {
  if (echo && typeof logprobs === 'number')
    throw new ApiError(400, 'unsupported', "'echo' with 'logprobs' is not possible: only new tokens have probabilities.", {
      param: 'echo',
    })
}

const promptsOf = ({ prompt = '' }: CompletionRequest) => (typeof prompt === 'string' ? [prompt] : prompt)

/** `n` texts for each prompt, those of one prompt side by side. */
function start(engine: TextGeneration, request: CompletionRequest, signal: AbortSignal) {
  const { logprobs } = request
  const options = {
    ...generateOptions(request),
    signal,
    ...(typeof logprobs === 'number' && { logprobs: true, topLogprobs: logprobs }),
  }
  return promptsOf(request).flatMap((prompt) =>
    Array.from({ length: request.n ?? 1 }, (_, index) => engine.stream(prompt, optionsFor(options, index))),
  )
}

const echoed = (request: CompletionRequest, index: number) =>
  request.echo ? promptsOf(request)[Math.floor(index / (request.n ?? 1))]! : ''

async function whole(engine: TextGeneration, request: CompletionRequest, signal: AbortSignal) {
  const answers = await Promise.all(start(engine, request, signal).map(completed))
  return {
    ...newAnswer('cmpl'),
    object: 'text_completion',
    model: engine.model,
    choices: answers.map((answer, index) => choiceOf(index, echoed(request, index) + answer.text, answer)),
    usage: usageOf(answers, request.n ?? 1),
    timings: timingsOf(answers),
  }
}

async function* events(engine: TextGeneration, request: CompletionRequest, signal: AbortSignal): AsyncGenerator<object> {
  const head = { ...newAnswer('cmpl'), object: 'text_completion', model: engine.model }
  const wantsUsage = request.stream_options?.include_usage === true
  const usage = wantsUsage ? { usage: null } : {}
  const answers: Completion[] = []
  const begun = new Set<number>()
  for await (const event of pieces(start(engine, request, signal))) {
    const { index } = event
    const before = begun.has(index) ? '' : echoed(request, index)
    begun.add(index)
    if ('value' in event) yield { ...head, choices: [choiceOf(index, before + event.value)], ...usage }
    else {
      answers[index] = unlessAborted(event.result)
      yield { ...head, choices: [choiceOf(index, before, event.result)], ...usage }
    }
  }
  if (wantsUsage) yield { ...head, choices: [], usage: usageOf(answers, request.n ?? 1), timings: timingsOf(answers) }
}

const choiceOf = (index: number, text: string, ended?: Pick<Completion, 'finishReason' | 'logprobs'>) => ({
  text,
  index,
  logprobs: ended?.logprobs ? legacyLogprobs(ended.logprobs) : null,
  finish_reason: ended?.finishReason ?? null,
})

/** The shape that completions had before chats: four lists of equal length. */
function legacyLogprobs({ content }: NonNullable<Completion['logprobs']>) {
  let offset = 0
  return {
    tokens: content.map(({ token }) => token),
    token_logprobs: content.map(({ logprob }) => logprob),
    top_logprobs: content.map(({ top_logprobs }) =>
      Object.fromEntries(top_logprobs.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: content.map(({ token }) => {
      const at = offset
      offset += token.length
      return at
    }),
  }
}
