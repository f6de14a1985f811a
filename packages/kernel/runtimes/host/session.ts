import type { InterfaceLookup } from '../../discovery/seed-class.js'
import { ModuleError, messageOf, ServiceGone } from '../../errors.js'
import type { ModuleContext } from '../../lifecycle/context.js'
import type { Manifest } from '../../manifest/manifest.js'
import { toMB } from '../../units.js'
import { Peer } from '../wire/peer.js'
import { Grants } from './grants.js'
import { heartbeat } from './heartbeat.js'
import type { Link } from './link.js'
import type { OutputLog } from './output.js'

/** Milliseconds from the polite end to the end by force. */
const patience = 1000

/** One life of the other side: from its start to its end, which comes when it is asked to, or as a crash. */
export class Session {
  readonly #manifest: Manifest
  readonly #link: Link
  readonly #output: OutputLog
  readonly #peer: Peer
  readonly #grants: Grants
  #context: ModuleContext<never> | undefined
  #stopHeartbeat: (() => void) | undefined
  /** Operations of the lifecycle under way: they fail by themselves when the other side ends. */
  #operations = 0
  #over: { readonly crash: ModuleError | undefined } | undefined
  #measured: unknown

  constructor(manifest: Manifest, link: Link, output: OutputLog, lookup: InterfaceLookup) {
    this.#manifest = manifest
    this.#link = link
    this.#output = output
    this.#grants = new Grants(manifest, lookup, (method, params) => this.#ask(method, params))
    this.#peer = new Peer(link.channel, { ...this.#grants.handlers, fail: ({ error }) => this.#fail(error) }, (error) =>
      this.#lost(error),
    )
    void link.ended.then((how) => this.#crash(this.#sentence(how)))
  }

  /** Imports the module's code there. Returns the names of its functions. */
  async init(folder: string, config: unknown): Promise<ReadonlySet<unknown>> {
    const { hooks } = (await this.operation('init', { manifest: this.#manifest, folder, config })) as { hooks: unknown }
    return new Set(Array.isArray(hooks) ? hooks : [])
  }

  /** Serves the module with its own context from here on; when that goes, the other side ends. */
  attach(context: ModuleContext<never>): void {
    this.#context = context
    context.effect(this.#link.label, () => () => this.end())
    this.#output.attach(context.log)
    this.#grants.attach(context)
    const abort = () => this.#peer.notify('abort', { reason: messageOf(context.signal.reason) })
    if (context.signal.aborted) abort()
    else context.signal.addEventListener('abort', abort, { once: true })
    // Operations have limits of their own, and may well keep the other side busy.
    const ask = async () => (this.#operations > 0 ? undefined : this.ping())
    this.#stopHeartbeat = heartbeat(this.#manifest.lifecycle.heartbeat, ask, () => {
      const limit = this.#manifest.lifecycle.heartbeat
      this.#crash(`it did not answer for ${limit} ms (an endless loop? If it is work, raise lifecycle.heartbeat)`)
    })
  }

  /** A step of the lifecycle. @throws what the module throws; ModuleError `CRASHED` when the other side ends meanwhile */
  async operation(method: 'init' | 'hook', params: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#operations++
    try {
      return await this.#peer.request(method, params)
    } catch (error) {
      throw this.#over?.crash ?? this.#grants.origin(error)
    } finally {
      this.#operations--
    }
  }

  /** A question beside the lifecycle: `health`, `onConfig`. */
  ask(hook: string, ...args: unknown[]): Promise<unknown> {
    return this.#peer.request('hook', { name: hook, args })
  }

  /** What `load` returned there, as this side sees it. */
  interface(given: unknown): unknown {
    return this.#grants.interface(given)
  }

  async ping(): Promise<void> {
    this.#measured = await this.#peer.request('ping')
  }

  /** What the other side holds, in bytes: measured, and what its own `usage` says of other memory. */
  get measured(): { readonly memory: number; readonly usage: unknown } {
    const { memory, usage } = (this.#measured ?? {}) as { memory?: unknown; usage?: unknown }
    return { memory: typeof memory === 'number' && memory >= 0 ? memory : 0, usage }
  }

  get attached(): boolean {
    return this.#context !== undefined
  }

  get over(): boolean {
    return this.#over !== undefined
  }

  /** Asks the other side to end, and makes it end if it does not. Resolved when it has. */
  async end(): Promise<void> {
    this.#peer.notify('exit')
    this.#finish('it was unloaded', undefined)
    const timer = setTimeout(() => this.#link.kill(), patience)
    await this.#link.ended
    clearTimeout(timer)
  }

  /** Ends it by force, now. */
  kill(): void {
    this.#link.kill()
  }

  // Once it is over there is nothing left to undo there.
  async #ask(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    try {
      return await this.#peer.request(method, params)
    } catch (error) {
      if (this.#over && (method === 'undo' || method === 'event')) return undefined
      throw error
    }
  }

  #lost(error: Error | undefined): void {
    if (this.#over) return
    if (error) this.#crash(messageOf(error))
    // It has closed its end: usually because it is about to go.
    else setTimeout(() => this.#link.kill(), patience).unref()
  }

  #crash(why: string): void {
    if (this.#over) return
    const { id } = this.#manifest
    const crash = new ModuleError('CRASHED', `Module '${id}' crashed: ${why}.`, { module: id })
    this.#finish(why, crash)
    this.#link.kill()
    if (this.#operations === 0) this.#fail(crash)
  }

  #fail(error: unknown): void {
    this.#context?.fail(error)
  }

  #finish(why: string, crash: ModuleError | undefined): void {
    if (this.#over) return
    this.#over = { crash }
    this.#stopHeartbeat?.()
    this.#peer.close(() => new ServiceGone(this.#manifest.id, why))
  }

  #sentence(how: string): string {
    const { last, outOfMemory } = this.#output
    const { ram } = this.#manifest.resources
    const cap = ram > 0 ? ` (resources.ram is ${toMB(ram)} MB)` : ''
    return `${how}${outOfMemory ? `, out of memory${cap}` : ''}${last === '' ? '' : `; it said: ${last}`}`
  }
}
