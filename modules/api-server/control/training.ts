import type { TrainingOptions } from '@enigma/contracts'
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../http/api-error.js'
import type { ServerContext } from '../server-context.js'

const start = {
  type: 'object',
  required: ['data', 'out'],
  additionalProperties: false,
  properties: {
    data: { type: 'array', items: { type: 'string' }, minItems: 1, description: 'text files or folders of them, on the server' },
    out: { type: 'string', minLength: 1, description: 'folder for the model and its checkpoints' },
    size: { type: 'string', description: 'preset, default tiny' },
    steps: { type: 'integer', minimum: 1 },
    epochs: { type: 'integer', minimum: 1 },
    learningRate: { type: 'number', exclusiveMinimum: 0 },
    batch: { type: 'integer', minimum: 1 },
    vocabSize: { type: 'integer', minimum: 257 },
    seed: { type: 'integer' },
    resume: { type: 'boolean', description: 'go on from the checkpoint in out' },
    valid: { type: 'string', description: "a text file, or the share of data to hold out ('0.02')" },
    settings: { type: 'object', description: 'further settings of the trainer, by its own names' },
  },
} as const

type Job = { Params: { id: string } }

/** Training jobs. Their progress comes over `/api/events?pattern=training.**`. */
export function trainingRoutes(server: FastifyInstance, { training }: ServerContext): void {
  const tags = ['Training']
  const service = () => {
    const found = training()
    if (found) return found
    throw new ApiError(503, 'no_provider', "Nothing here trains. Load the module 'training'.")
  }
  const status = (id: string) => {
    const found = service()
      .jobs()
      .find((job) => job.id === id)
    if (found) return found
    throw new ApiError(404, 'unknown_job', `There is no training job '${id}'.`, { param: 'id' })
  }

  server.get('/api/training', { schema: { tags, summary: 'Training jobs, oldest first' } }, async () => ({
    jobs: service().jobs(),
  }))

  server.get<Job>('/api/training/:id', { schema: { tags, summary: 'One training job' } }, async ({ params }) => status(params.id))

  server.post<{ Body: TrainingOptions }>(
    '/api/training',
    { schema: { body: start, tags, summary: 'Train a model, in a process of its own' } },
    async ({ body }, reply) => {
      const job = service().train(body)
      // It is told by events, and by the status.
      job.done.catch(() => undefined)
      return reply.code(202).send(status(job.id))
    },
  )

  server.post<Job>(
    '/api/training/:id/stop',
    { schema: { tags, summary: 'End a job with a checkpoint' } },
    async ({ params: { id } }) => {
      if (status(id).state === 'running') await service().job(id).stop()
      return status(id)
    },
  )
}
