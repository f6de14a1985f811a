import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { Health, ModuleDefinition } from '../../define.js'
import { ModuleError, messageOf, ServiceGone } from '../../errors.js'
import type { LogLevel } from '../../events/event-map.js'
import type { ModuleContext } from '../../lifecycle/context.js'
import { token } from '../../lifecycle/services.js'
import type { Manifest } from '../../manifest/manifest.js'
import { readHealth } from '../host/health.js'
import { heartbeat } from '../host/heartbeat.js'
import { OutputLog } from '../host/output.js'
import type { Connect, Connection } from './connection.js'
import { callTool, listToolNames, type Tool, type ToolCallOptions } from './tools.js'

/** JSON-RPC's code. */
const methodNotFound = -32601
/** Milliseconds from the polite end to the end by force. */
const patience = 1000

/** An ordinary definition whose code is an MCP server: its tools are the methods of the module's interface and of all it provides. */
export class McpModule implements ModuleDefinition<never> {
  readonly #manifest: Manifest
  readonly #connect: Connect
  readonly #output = new OutputLog()
  /** The module's interface; tools come and go in it. */
  readonly #api: Record<string, Tool> = {}
  #connection: Connection | undefined
  #client: Client | undefined
  /** Functions beyond MCP that the server has: `enigma/load` and so on. */
  #extra: ReadonlySet<string> = new Set()
  /** Operations and calls under way: a server of one thread answers no pings meanwhile. */
  #busy = 0
  #operations = 0
  #over: { readonly why: string; readonly crash: ModuleError | undefined } | undefined

  constructor(manifest: Manifest, connect: Connect) {
    this.#manifest = manifest
    this.#connect = connect
  }

  async load(ctx: ModuleContext<never>): Promise<Readonly<Record<string, Tool>>> {
    this.#output.attach(ctx.log)
    const connection = await this.#connect(this.#output.take)
    this.#connection = connection
    ctx.effect(connection.label, () => () => this.#end())
    await this.#operation(() => this.#open(ctx, connection))
    ctx.effect('heartbeat', () => this.#watch(ctx))
    for (const { capability, version } of this.#manifest.provides) {
      ctx.provide(token(capability, version.split('.').slice(0, 2).join('.')), this.#api)
    }
    return this.#api
  }

  async start(): Promise<void> {
    await this.#operation(() => this.#ask('start'))
  }

  async stop(): Promise<void> {
    await this.#operation(() => this.#ask('stop'))
  }

  async health(): Promise<Health> {
    return this.#extra.has('health') ? readHealth(await this.#ask('health')) : { status: 'healthy' }
  }

  kill(): void {
    this.#connection?.kill()
  }

  async #open(ctx: ModuleContext<never>, connection: Connection): Promise<void> {
    const { id, version, lifecycle } = this.#manifest
    const sdk = await import('@modelcontextprotocol/sdk/client/index.js')
    const { LoggingMessageNotificationSchema, ToolListChangedNotificationSchema } = await import(
      '@modelcontextprotocol/sdk/types.js'
    )
    const client = new sdk.Client({ name: `enigma-${id}`, version })
    this.#client = client
    void connection.ended?.then((how) =>
      this.#crash(ctx, `${how}${this.#output.last === '' ? '' : `; it said: ${this.#output.last}`}`),
    )
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params: { level, data } }) => {
      ctx.log[levels[level] ?? 'info'](typeof data === 'string' ? data : JSON.stringify(data))
    })
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.#refresh(client))
    await client.connect(connection.transport, { signal: ctx.signal, timeout: lifecycle.loadTimeout }).catch((error: unknown) => {
      throw new Error(`${connection.label}: ${messageOf(error)}${causeOf(error)}`, { cause: error })
    })
    client.onclose = () => {
      if (!connection.ended) this.#crash(ctx, 'its connection was closed')
    }
    const capabilities = client.getServerCapabilities()
    this.#extra = new Set(Object.keys(capabilities?.experimental?.enigma ?? {}))
    if (capabilities?.logging) await client.setLoggingLevel('info')
    await this.#ask('load', { config: ctx.config })
    if (capabilities?.tools) await this.#refresh(client)
  }

  async #refresh(client: Client): Promise<void> {
    const names = new Set(await listToolNames(client))
    for (const name of Object.keys(this.#api)) if (!names.has(name)) delete this.#api[name]
    for (const name of names) {
      const value: Tool = (args, options) => this.#call(client, name, args, options)
      if (!Object.hasOwn(this.#api, name)) Object.defineProperty(this.#api, name, { value, enumerable: true, configurable: true })
    }
  }

  async #call(client: Client, name: string, args: unknown, options?: ToolCallOptions): Promise<unknown> {
    this.#busy++
    try {
      return await callTool(client, name, args, options)
    } catch (error) {
      if (this.#over) throw new ServiceGone(this.#manifest.id, this.#over.why)
      throw error
    } finally {
      this.#busy--
    }
  }

  /** Calls one of the functions beyond MCP, if the server has it. */
  async #ask(name: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (!this.#extra.has(name) || this.#over) return undefined
    const { ResultSchema } = await import('@modelcontextprotocol/sdk/types.js')
    // The lifecycle has the limits.
    return this.#client?.request({ method: `enigma/${name}`, params }, ResultSchema, { timeout: 2 ** 31 - 1 })
  }

  async #operation<T>(run: () => Promise<T>): Promise<T> {
    this.#operations++
    this.#busy++
    try {
      return await run()
    } catch (error) {
      // The connection may break a moment before its end tells why.
      if (this.#connection?.ended && !this.#over && isClosed(error)) await this.#connection.ended
      throw this.#over?.crash ?? error
    } finally {
      this.#operations--
      this.#busy--
    }
  }

  #watch(ctx: ModuleContext<never>): () => void {
    const limit = this.#manifest.lifecycle.heartbeat
    const ping = async () => {
      if (this.#busy > 0) return
      // Saying that one knows no pings is an answer too.
      await this.#client?.ping({ timeout: 2 ** 31 - 1 }).catch((error: { code?: unknown }) => {
        if (error.code !== methodNotFound) throw error
      })
    }
    return heartbeat(limit, ping, () => this.#crash(ctx, `it did not answer for ${limit} ms`))
  }

  async #end(): Promise<void> {
    this.#over ??= { why: 'it was unloaded', crash: undefined }
    const { transport, ended, bye, kill } = this.#connection!
    const timer = setTimeout(kill, patience)
    await bye().catch(() => undefined)
    await (this.#client?.close() ?? transport.close())
    await ended
    clearTimeout(timer)
  }

  #crash(ctx: ModuleContext<never>, why: string): void {
    if (this.#over) return
    const { id } = this.#manifest
    const crash = new ModuleError('CRASHED', `Module '${id}' crashed: ${why}.`, { module: id })
    this.#over = { why, crash }
    this.#connection?.kill()
    void this.#client?.close()
    if (this.#operations === 0) ctx.fail(crash)
  }
}

/** What `fetch` keeps to itself: ` (ECONNREFUSED)`. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined
  return typeof cause?.code === 'string' ? ` (${cause.code})` : ''
}

function isClosed(error: unknown): boolean {
  return /closed|EPIPE|destroyed/i.test(messageOf(error))
}

/** MCP's levels (RFC 5424). */
const levels: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  alert: 'error',
  emergency: 'error',
}
