import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ModuleDefinition } from '../../define.js'
import { entryPath } from '../../discovery/entry.js'
import { ModuleError, messageOf, ServiceGone } from '../../errors.js'
import type { ModuleContext } from '../../lifecycle/context.js'
import { token } from '../../lifecycle/services.js'
import type { Manifest } from '../../manifest/manifest.js'
import type { Amounts } from '../../resources/ledger.js'
import { moduleEnvironment } from '../host/environment.js'
import { portChannel } from '../wire/channel.js'
import { Peer } from '../wire/peer.js'
import { limitMemory, pageSize } from './limit-memory.js'

const threadScript = join(import.meta.dirname, 'thread.js')
/** Bytes of memory where the manifest names none. */
const defaultMemory = 64 * 2 ** 20

type Method = (...args: unknown[]) => Promise<unknown>

/** A thread with an instance of the module. */
interface Running {
  readonly peer: Peer
  readonly methods: readonly string[]
  /** Ends the thread; the next call begins a new one. */
  drop(why: string): void
}

/**
 * An ordinary definition of pure functions in WebAssembly. They hold nothing between calls that must be kept, so a call that runs
 * too long (lifecycle.heartbeat) or is aborted ends the thread, and the next one begins with a new instance.
 */
export class WasmModule implements ModuleDefinition<never> {
  readonly #manifest: Manifest
  readonly #folder: string
  #bytes: Uint8Array = new Uint8Array()
  #running: Promise<Running> | undefined
  #worker: Worker | undefined
  #last: Promise<unknown> = Promise.resolve()
  #memory = 0
  #over = false

  constructor(manifest: Manifest, folder: string) {
    this.#manifest = manifest
    this.#folder = folder
  }

  async load(ctx: ModuleContext<never>): Promise<Readonly<Record<string, Method>>> {
    const { id, entry, resources, provides } = this.#manifest
    ctx.effect('WebAssembly', () => () => this.#end())
    const bytes = await readFile(entryPath(id, this.#folder, entry))
    if (!WebAssembly.validate(bytes))
      throw new ModuleError('BAD_MODULE', `Module '${id}': ${entry} is no valid WebAssembly. Build it again.`, { module: id })
    this.#bytes = limitMemory(id, bytes, Math.floor((resources.ram || defaultMemory) / pageSize))
    const { methods } = await this.#start()
    const api = Object.fromEntries(methods.map((name): [string, Method] => [name, (...args) => this.#call(name, args)]))
    for (const { capability, version } of provides) ctx.provide(token(capability, version.split('.').slice(0, 2).join('.')), api)
    return api
  }

  usage(): Partial<Amounts> {
    return { ram: this.#memory }
  }

  kill(): void {
    this.#over = true
    void this.#worker?.terminate()
  }

  /** One after the other, as there is one instance: a call's time begins when it is its turn. */
  #call(name: string, args: readonly unknown[]): Promise<unknown> {
    const signal = args.at(-1) instanceof AbortSignal ? (args.at(-1) as AbortSignal) : undefined
    const answer = this.#last.then(() => this.#callNow(name, signal ? args.slice(0, -1) : args, signal))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #callNow(name: string, args: readonly unknown[], signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted()
    const { id, lifecycle } = this.#manifest
    const { peer, drop } = await this.#start()
    let reason: unknown
    const giveUp = (why: unknown) => {
      reason = why
      drop('it was given up')
    }
    const aborted = () => giveUp(signal!.reason)
    signal?.addEventListener('abort', aborted, { once: true })
    const timer = setTimeout(() => {
      const message = `'${name}' of module '${id}' did not end in ${lifecycle.heartbeat} ms. Give it less to do, or raise lifecycle.heartbeat in its module.yaml.`
      giveUp(new ModuleError('TIMEOUT', message, { module: id }))
    }, lifecycle.heartbeat)
    try {
      const { value, memory } = (await peer.request('call', { name, args })) as { value: unknown; memory: number }
      this.#memory = memory
      return value
    } catch (error) {
      throw reason ?? error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
  }

  #start(): Promise<Running> {
    if (this.#over) return Promise.reject(new ServiceGone(this.#manifest.id, 'it was unloaded'))
    return (this.#running ??= this.#open())
  }

  async #open(): Promise<Running> {
    const { id } = this.#manifest
    const worker = new Worker(threadScript, {
      env: moduleEnvironment(),
      name: id,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    this.#worker = worker
    const drop = (why: string) => {
      if (this.#worker === worker) this.#running = undefined
      void worker.terminate()
      peer.close(() => new ServiceGone(id, why))
    }
    worker.once('error', (error) => drop(messageOf(error)))
    const peer = new Peer(portChannel(worker), {}, () => drop('its thread ended'))
    const { methods, memory } = (await peer.request('open', { id, bytes: this.#bytes })) as { methods: string[]; memory: number }
    this.#memory = memory
    return { peer, methods, drop }
  }

  async #end(): Promise<void> {
    this.#over = true
    await this.#worker?.terminate()
  }
}
