import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type KeyScope, KeyStore } from '../keys/key-store.js'
import { hostName, isLoopback } from './addresses.js'
import { ApiError } from './api-error.js'

export interface GuardOptions {
  /** The address listened on. */
  readonly host: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  /** Whether the OpenAI routes need a key, too. `/api` needs a token or a key in any case. */
  readonly requireKey: boolean
  /** Opens everything: that of the run file. */
  readonly token: string
  readonly keys: KeyStore
}

/** Routes that answer everybody: whether the server lives is no secret. */
const open = new Set(['/health', '/ready'])

/**
 * Refuses who must not ask: requests for another host (a page that had its name point here), pages of other origins, missing and
 * wrong keys. On loopback `/v1` is open to every program of this machine, as those of other model servers are; a key of ours that is
 * given nevertheless has to be right.
 */
export function guard(server: FastifyInstance, options: GuardOptions): void {
  const hosts = new Set([options.host, ...options.allowedHosts].map((name) => name.toLowerCase()))
  const named = (name: string) => hosts.has(name) || (isLoopback(options.host) && isLoopback(name))

  server.addHook('onRequest', async (request, reply) => {
    const name = hostName(request.headers.host)
    const anyHost = options.host === '0.0.0.0' || options.host === '::'
    if (!(anyHost && options.allowedHosts.length === 0) && !named(name))
      throw new ApiError(403, 'host_refused', `This server does not answer for the host '${name}'. Add it to 'allowedHosts'.`)
    const { origin } = request.headers
    if (origin !== undefined && !sameOrigin(origin, request)) {
      if (!options.allowedOrigins.includes(origin))
        throw new ApiError(403, 'origin_refused', `Pages of ${origin} may not call this server. Add it to 'allowedOrigins'.`)
      void reply.header('access-control-allow-origin', origin).header('vary', 'origin')
      if (request.method === 'OPTIONS')
        return reply
          .header('access-control-allow-methods', 'GET, POST, PATCH, DELETE')
          .header('access-control-allow-headers', 'authorization, content-type')
          .header('access-control-max-age', '600')
          .code(204)
          .send()
    }
    if (!open.has(pathOf(request))) await authorize(request, options)
  })
}

async function authorize(request: FastifyRequest, { token, keys, requireKey }: GuardOptions): Promise<void> {
  const needed: KeyScope = pathOf(request).startsWith('/api/') ? 'admin' : 'inference'
  const given = bearer(request)
  if (given !== undefined && sameText(given, token)) return
  const key = given === undefined ? undefined : await keys.find(given)
  if (key) {
    if (needed === 'inference' || key.scopes.includes('admin')) return
    throw new ApiError(
      403,
      'scope_missing',
      `The key '${key.name}' may ask models only. Make one with: enigma keys create --admin`,
    )
  }
  if (needed === 'inference' && !requireKey && !(given && KeyStore.isOurs(given))) return
  if (given !== undefined) throw new ApiError(401, 'invalid_api_key', 'The API key is wrong or was revoked.')
  throw new ApiError(
    401,
    'missing_api_key',
    needed === 'admin'
      ? "This route needs the server's own token, or an API key made with: enigma keys create --admin"
      : 'This server needs an API key, as Authorization: Bearer. Make one with: enigma keys create',
  )
}

function bearer({ headers: { authorization } }: FastifyRequest): string | undefined {
  return /^bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1]
}

/** Compares every letter, so that the time tells nothing of how many were right. */
function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

const pathOf = ({ url }: FastifyRequest) => url.split('?', 1)[0]!

function sameOrigin(origin: string, { headers: { host }, protocol }: FastifyRequest): boolean {
  return origin === `${protocol}://${host}`
}
