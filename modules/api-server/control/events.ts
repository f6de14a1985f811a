import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../server-context.js'

interface EventQuery {
  readonly pattern?: string
}

const querystring = {
  type: 'object',
  properties: { pattern: { type: 'string', default: '**', description: 'as of the event bus: module.*, training.**' } },
} as const

/** Events that wait for a slow reader at most; then it is told how many it missed. */
const capacity = 1000
const pingAfter = 15_000

/** What happens, as it happens: server-sent events `{name, payload, time}`, from now on. */
export function eventRoutes(server: FastifyInstance, { manager }: ServerContext): void {
  server.get<{ Querystring: EventQuery }>(
    '/api/events',
    { schema: { querystring, tags: ['Events'], summary: 'Events of the bus as they happen (SSE)' } },
    async ({ query: { pattern = '**' } }, reply) => {
      const bus = manager().events
      const waiting: string[] = []
      let missed = 0
      let ended = false
      let id = 0
      let wake = () => {}
      const off = bus.on(pattern, (payload, name) => {
        if (waiting.length >= capacity) missed++
        else waiting.push(`id: ${++id}\ndata: ${eventLine(name, payload)}\n\n`)
        wake()
      })
      // The stream ends with the client, also while nothing happens.
      reply.raw.once('close', () => {
        ended = true
        wake()
      })
      async function* lines(): AsyncGenerator<string> {
        try {
          yield ': connected\n\n'
          while (!ended) {
            while (waiting.length > 0) yield waiting.shift()!
            if (missed > 0) {
              const lost = missed
              missed = 0
              yield `event: overflow\ndata: ${JSON.stringify({ missed: lost })}\n\n`
            }
            const happened = new Promise<boolean>((resolve) => {
              const timer = setTimeout(resolve, pingAfter, false)
              wake = () => {
                clearTimeout(timer)
                resolve(true)
              }
            })
            if (waiting.length === 0 && !ended && !(await happened)) yield ': nothing new\n\n'
            wake()
            wake = () => {}
          }
        } finally {
          off()
        }
      }
      void reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
      return reply.send(Readable.from(lines(), { objectMode: false }))
    },
  )
}

/** Payloads may hold what JSON cannot: the event is told then without it. */
function eventLine(name: string, payload: unknown): string {
  const time = Date.now()
  try {
    return JSON.stringify({ name, payload: payload ?? null, time }, (_, value: unknown) =>
      value instanceof Error ? { name: value.name, message: value.message } : typeof value === 'bigint' ? Number(value) : value,
    )
  } catch {
    return JSON.stringify({ name, payload: null, time })
  }
}
