import type { Metrics } from '@enigma/contracts'
import type { FastifyInstance } from 'fastify'

/** Counts requests by route and status, and their time, where metrics are collected. */
export function measure(server: FastifyInstance, metrics: () => Metrics | undefined, pending: () => number): void {
  server.addHook('onResponse', async (request, reply) => {
    const collector = metrics()
    if (!collector) return
    const labels = { method: request.method, route: request.routeOptions.url ?? 'none' }
    collector
      .counter('http_requests_total', { help: 'Requests answered', labels: ['method', 'route', 'status'] })
      .inc(1, { ...labels, status: reply.statusCode })
    collector
      .histogram('http_request_seconds', {
        help: 'From the first byte of a request to the last of its answer',
        labels: ['method', 'route'],
      })
      .observe(reply.elapsedTime / 1000, labels)
    collector.gauge('http_generations_pending', { help: 'Generations under way or waiting' }).set(pending())
  })
}
