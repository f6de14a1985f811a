import type { FastifyInstance } from 'fastify'
import { ApiError } from './http/api-error.js'
import { engineFor, unlessAborted } from './openai/generations.js'
import type { ServerContext } from './server-context.js'

interface GenerateRequest {
  readonly prompt: string
  readonly max_gen?: number
  readonly temperature?: number
}

const generateSchema = {
  type: 'object',
  required: ['prompt'],
  properties: {
    prompt: { type: 'string' },
    max_gen: { type: 'integer', minimum: 1, default: 64, description: 'new tokens at most' },
    temperature: { type: 'number', minimum: 0, maximum: 2 },
  },
} as const

/** The two routes of the seed documents. */
export function seedRoutes(server: FastifyInstance, context: ServerContext): void {
  const tags = ['Seed documents']

  server.post<{ Body: GenerateRequest }>(
    '/generate',
    { schema: { body: generateSchema, tags, summary: 'Continue a text, as the seed documents have it' } },
    async ({ body: { prompt, max_gen: maxTokens = 64, temperature } }, reply) => {
      const engine = anyEngine(context)
      const signal = context.gate.enter(reply)
      const options = { maxTokens, signal, ...(temperature !== undefined && { temperature }) }
      const { text } = unlessAborted(await engine.complete(prompt, options))
      return { text }
    },
  )

  server.get('/info', { schema: { tags, summary: 'Which model answers' } }, async () => ({
    model: anyEngine(context).model,
    version: context.version,
  }))
}

function anyEngine(context: ServerContext) {
  const model = context.generation()?.model
  if (model === undefined)
    throw new ApiError(503, 'no_provider', "Nothing here generates text. Load a module that does, such as 'inference'.")
  return engineFor(context, model)
}
