import type { FastifyInstance } from 'fastify'
import { ApiError } from './http/api-error.js'
import type { ServerContext } from './server-context.js'

/** Whether it lives, whether it can answer, and what it counted. */
export function health(server: FastifyInstance, context: ServerContext): void {
  const tags = ['Server']

  server.get('/health', { schema: { tags, summary: 'Whether the server lives' } }, async () => ({
    status: 'ok',
    version: context.version,
    uptime: Math.floor(Date.now() / 1000) - context.started,
  }))

  server.get('/ready', { schema: { tags, summary: 'Whether it can answer with text now' } }, async (_, reply) => {
    const [model, draining] = [context.generation()?.model, context.draining()]
    const ready = model !== undefined && !draining
    return reply.code(ready ? 200 : 503).send({ ready, draining, model: model ?? null })
  })

  server.get(
    '/metrics',
    { schema: { tags, summary: 'Counters and times, in the text format of Prometheus' } },
    async (_, reply) => {
      const metrics = context.metrics()
      if (!metrics) throw new ApiError(503, 'no_provider', "Nothing here counts. Load the module 'metrics-collector'.")
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.prometheus())
    },
  )
}
