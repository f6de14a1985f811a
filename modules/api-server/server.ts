import { randomUUID } from 'node:crypto'
import type { ModuleLog } from '@enigma/kernel'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import { eventRoutes } from './control/events.js'
import { machineRoutes } from './control/machine.js'
import { moduleRoutes } from './control/modules.js'
import { trainingRoutes } from './control/training.js'
import { health } from './health.js'
import { failureOf } from './http/api-error.js'
import { type GuardOptions, guard } from './http/guard.js'
import { measure } from './http/measure.js'
import { messageOf } from './http/message-of.js'
import { chatCompletions } from './openai/chat-completions.js'
import { completions } from './openai/completions.js'
import { models } from './openai/models.js'
import { seedRoutes } from './seed-routes.js'
import type { ServerContext } from './server-context.js'
import { type PageShelf, webPages } from './web-pages.js'

/** Every group of routes, in the order of the OpenAPI document. */
const routes = [
  chatCompletions,
  completions,
  models,
  moduleRoutes,
  trainingRoutes,
  machineRoutes,
  eventRoutes,
  health,
  seedRoutes,
]

export interface ServerOptions extends GuardOptions {
  /** Bytes. */
  readonly bodyLimit: number
  /** Requests a minute of one key or address; 0 is no limit. */
  readonly rateLimit: number
  readonly log: ModuleLog
  readonly pages: PageShelf
}

/** Milliseconds in which a client has to send its request: who sends a letter a minute holds no connection. */
const requestTimeout = 30_000

/** The server with all its routes, not listening yet. */
export async function makeServer(context: ServerContext, options: ServerOptions): Promise<FastifyInstance> {
  const { log } = options
  const server = fastify({
    logger: false,
    bodyLimit: options.bodyLimit,
    requestTimeout,
    connectionTimeout: 0,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Requests under way are ended by the gate; connections that only wait are closed at once.
    forceCloseConnections: 'idle',
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
  })

  server.removeContentTypeParser('text/plain')
  server.setErrorHandler((error, request, reply) => {
    const { status, body, retryAfter } = failureOf(error)
    if (status >= 500 && status !== 503)
      log.error(`${request.method} ${request.routeOptions.url ?? request.url}: ${messageOf(error)}`, {
        request: request.id,
        stack: error instanceof Error ? error.stack : undefined,
      })
    if (retryAfter !== undefined) void reply.header('retry-after', retryAfter)
    return reply.code(status).send(body)
  })
  server.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} ${request.url.split('?', 1)[0]}. The routes are listed in /openapi.json.`
    return reply.code(404).send({ error: { message, type: 'not_found_error', param: null, code: 'unknown_route' } })
  })
  server.addHook('onSend', async (request, reply) => {
    void reply.header('x-request-id', request.id)
  })
  server.addHook('onResponse', async (request, reply) => {
    const { statusCode: status, elapsedTime } = reply
    log.debug(`${request.method} ${request.routeOptions.url ?? 'unknown route'} ${status}`, {
      request: request.id,
      status,
      ms: Math.round(elapsedTime),
    })
  })

  // No TLS here: who puts a proxy before it sets HSTS there.
  await server.register(helmet, {
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'self'"], styleSrc: ["'self'", "'unsafe-inline'"], upgradeInsecureRequests: null },
    },
  })
  guard(server, options)
  if (options.rateLimit > 0)
    await server.register(rateLimit, {
      max: options.rateLimit,
      timeWindow: '1 minute',
      keyGenerator: ({ headers: { authorization }, ip }) => authorization ?? ip,
    })
  measure(server, context.metrics, () => context.gate.pending)
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Enigma',
        version: context.version,
        description: 'OpenAI-compatible text generation, and control of modules, training and events.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
  })
  // After swagger, which collects the routes that are registered behind it.
  await server.register(async (scope) => {
    for (const register of routes) register(scope, context)
    scope.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger())
    webPages(scope, options.pages, options.requireKey ? undefined : options.token)
  })
  return server
}
