import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { Metrics, TextGeneration, Training, WebPages } from '@enigma/contracts'
import { defineModule, type ModuleContext, ModuleError, type ModuleManager } from '@enigma/kernel'
import type { FastifyInstance } from 'fastify'
import { isLoopback, urlOf } from './http/addresses.js'
import { ApiError } from './http/api-error.js'
import { GenerationGate } from './http/generation-gate.js'
import { KeyStore } from './keys/key-store.js'
import { readRunFile, removeRunFile, writeRunFile } from './run-file.js'
import { makeServer } from './server.js'
import type { ApiServer, ApiServerConfig } from './types.js'
import { PageShelf } from './web-pages.js'

const { version } = createRequire(import.meta.url)('@enigma/module-api-server/package.json') as { version: string }

/** Listens as long as it is loaded; unloading lets answers under way end. */
export default defineModule<ApiServerConfig, ApiServer>({
  async load(ctx) {
    const { config } = ctx
    const keys = new KeyStore()
    const loopback = isLoopback(config.host)
    const requireKey = config.requireKey ?? !loopback
    if (!loopback) await assertKeys(config, keys, requireKey)
    await assertAlone()

    const gate = new GenerationGate(config.maxPending)
    const started = Math.floor(Date.now() / 1000)
    const token = randomBytes(24).toString('base64url')
    let manager: ModuleManager | undefined
    let draining = false
    let answered = 0
    const pages = new PageShelf()
    const server = await makeServer(
      {
        generation: () => ctx.maybe(TextGeneration),
        training: () => ctx.maybe(Training),
        metrics: () => ctx.maybe(Metrics),
        manager() {
          if (manager) return manager
          throw new ApiError(503, 'no_manager', 'This server was started without control of modules. Start it with: enigma serve')
        },
        gate,
        started,
        version,
        draining: () => draining,
      },
      { ...config, requireKey, token, keys, log: ctx.log, pages },
    )
    server.addHook('onResponse', async () => {
      answered++
    })
    const url = await listen(server, ctx)
    ctx.onDispose(async () => {
      draining = true
      const closed = server.close()
      await gate.close(config.drainSeconds * 1000)
      // What is left are streams of events, and connections that wait for a next request.
      server.server.closeAllConnections()
      await closed
      await removeRunFile(process.pid)
    }, 'HTTP server')
    await writeRunFile({ pid: process.pid, url, token, started: new Date().toISOString() })
    ctx.provide(WebPages, { url, serve: (given) => pages.serve(given) })
    ctx.log.info(`Listening on ${url}`)
    return {
      url,
      attach(given) {
        manager = given
      },
      status: () => ({ url, pending: gate.pending, answered, draining }),
    }
  },

  health: (_, api) => ({ status: 'healthy', message: `${api.url}, ${api.status().pending} answers under way` }),
})

async function listen(server: FastifyInstance, { config: { host, port } }: ModuleContext<ApiServerConfig>): Promise<string> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    await server.close()
    throw failed(listenProblem(cause as NodeJS.ErrnoException, host, port), cause)
  }
  const [address] = server.addresses()
  return urlOf(host, typeof address === 'object' ? address.port : port)
}

function listenProblem({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken by another program. Choose another, such as --port ${port + 1}, or 0 for any free one.`
  if (code === 'EACCES') return `This user may not listen on port ${port}. Choose one above 1023.`
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all.`
  return `Cannot listen on ${host}:${port}: ${message}`
}

/** @throws ModuleError when other machines could ask without a key */
async function assertKeys({ host }: ApiServerConfig, keys: KeyStore, requireKey: boolean): Promise<void> {
  if (!requireKey) throw failed(`${host} is reached by other machines: 'requireKey' cannot be false there.`)
  if ((await keys.list()).length === 0)
    throw failed(`${host} is reached by other machines, and there is no API key. Make one first with: enigma keys create`)
}

/** @throws ModuleError when a server runs on this home folder already */
async function assertAlone(): Promise<void> {
  const other = await readRunFile()
  if (other && other.pid !== process.pid)
    throw failed(
      `A server of this home folder runs already: ${other.url}, process ${other.pid}. Stop it, or set another ENIGMA_HOME.`,
    )
}

const failed = (message: string, cause?: unknown) =>
  new ModuleError('LOAD_FAILED', message, { module: 'api-server', ...(cause !== undefined && { cause }) })
