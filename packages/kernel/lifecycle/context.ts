import type { ModuleConfig } from '../config/config.js'
import { ModuleError, ServiceGone } from '../errors.js'
import type { LogLevel } from '../events/event-map.js'
import { eventsOf, hooksOf, type ModuleEventsView, type ModuleHooksView } from '../events/views.js'
import type { ModuleLife } from './life.js'
import type { Disposer } from './scope.js'
import { type ServiceSlot, serves, type Token } from './services.js'

export interface ModuleLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Timers that end with the module; each returns the function that stops it. What `run` throws or rejects with fails the module. */
export interface ModuleTimers {
  setTimeout(run: () => unknown, ms: number): () => void
  setInterval(run: () => unknown, ms: number): () => void
}

/** What a module's code is given: one per load. Nothing here reaches modules that the manifest does not name. */
export class ModuleContext<Config = ModuleConfig> {
  readonly #life: ModuleLife
  /** Made when they are asked for: most modules want one of them or none. */
  #views: { log?: ModuleLog; events?: ModuleEventsView; hooks?: ModuleHooksView; timers?: ModuleTimers } | undefined

  /** Made by the manager. */
  constructor(life: ModuleLife) {
    this.#life = life
  }

  get id(): string {
    return this.#life.record.id
  }

  /** Checked against the manifest's schema, defaults filled in. */
  get config(): Config {
    return this.#life.config as Config
  }

  /** Where the module shall work: `gpu:<n>` or `unified`, if GPU memory is reserved for it, else `cpu`. */
  get device(): string {
    return this.#life.host.deviceOf(this.id) ?? 'cpu'
  }

  /** Aborted when the module is unloaded, runs out of time, or its load is undone. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  /** Written as `log` events; the logger module prints and stores them, without it they stay in the bus's history. */
  get log(): ModuleLog {
    return ((this.#views ??= {}).log ??= this.#makeLog())
  }

  get events(): ModuleEventsView {
    return ((this.#views ??= {}).events ??= eventsOf(this.#life.host.bus, this.id, (label, run) => this.effect(label, run)))
  }

  /** Asking other modules, and answering them. */
  get hooks(): ModuleHooksView {
    return ((this.#views ??= {}).hooks ??= hooksOf(this.#life.host.hooks, this.id, (label, run) => this.effect(label, run)))
  }

  get timers(): ModuleTimers {
    return ((this.#views ??= {}).timers ??= this.#makeTimers())
  }

  /**
   * Gives the implementation of a capability that the manifest lists under `provides`.
   * @throws ModuleError `SERVICE_UNDECLARED` when it does not, `SERVICE_TAKEN` at the second time
   */
  provide<T>(token: Token<T>, implementation: T): void {
    const { record } = this.#life
    const { id, provides } = record.manifest
    if (token.name !== id && !provides.some(({ capability }) => capability === token.name)) {
      const fix = `Add { capability: ${token.name}, version: ${token.version}.0 } to 'provides' in its module.yaml.`
      throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not declare the capability '${token.name}'. ${fix}`, {
        module: id,
      })
    }
    const scope = this.#life.open(`provide ${token.name}`)
    scope.push(record.provide(token, implementation))
  }

  /**
   * The service of a module that the manifest names under `requires` (by the capability or by a module that provides it).
   * The handle throws `ServiceGone` once that module is gone; `unwrap(handle)` gives the implementation for hot loops.
   * @throws ModuleError `SERVICE_UNDECLARED` when the manifest does not name it, `SERVICE_MISSING` when it gave no implementation
   */
  use<T>(token: Token<T>): T {
    const slot = this.#life.record.boundService(token.name)
    if (slot !== undefined && slot.token.version === token.version) return slot.handle as T
    return slot === undefined ? this.#missing(token) : this.#serve(slot, token)
  }

  /**
   * The service of a capability that may be absent, as it is now: ask at each use, as it may come and go.
   * @throws ModuleError `SERVICE_UNDECLARED` unless the manifest names it under `optional` (or `requires`)
   */
  maybe<T>(token: Token<T>): T | undefined {
    const { host, record } = this.#life
    const { optional, requires, id } = record.manifest
    let slot: ServiceSlot | undefined
    for (const given of host.services(token.name)) if (serves(given.token, token)) slot ??= given
    const named = (name: string) => name === token.name || name === slot?.module
    if (optional.some(({ capability }) => named(capability)) || requires.some(({ capability }) => named(capability))) {
      return slot?.handle as T | undefined
    }
    const fix = `Add '${token.name}' to 'optional' in its module.yaml.`
    throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not name '${token.name}'. ${fix}`, { module: id })
  }

  /**
   * Says that the module can no longer work: it is undone and goes to `error`. Modules bound to it stay; their handles throw
   * `ServiceGone` until it is loaded again. While it loads or starts, that operation fails with `error`.
   * Whether it is started again says `lifecycle.restart` in its manifest; without an error it has ended cleanly, and only
   * `restart: always` starts it again.
   */
  fail(error?: unknown): void {
    this.#life.host.crash(this.#life, error)
  }

  /**
   * Runs work in the background until the module goes (or stops, if called within `start`); `signal` is aborted then. Work that
   * rejects fails the module, as `fail` does.
   */
  run(label: string, task: (signal: AbortSignal) => Promise<unknown>): void {
    const scope = this.#life.open(label)
    const controller = new AbortController()
    const done = task(controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) this.fail(error)
    })
    const undo = scope.add(label, () => {
      controller.abort()
      return done
    })
    void done.then(undo)
  }

  /** Runs when the module goes (at `stop` if called within `start`). Returns a function that runs it now. */
  onDispose(dispose: Disposer, label = 'onDispose'): () => unknown {
    return this.#life.open(label).add(label, dispose)
  }

  /** Runs something now and its result (a disposer) when the module goes. Returns a function that undoes it now. */
  effect(label: string, run: () => Disposer): () => unknown {
    const scope = this.#life.open(label)
    return scope.add(label, run())
  }

  /** Labels of what is registered, oldest first. */
  get effects(): string[] {
    return [...(this.#life.scope?.labels ?? []), ...(this.#life.startScope?.labels ?? [])]
  }

  #missing(token: Token<unknown>): never {
    const { id, manifest, providers } = this.#life.record
    const at = manifest.requires.findIndex(({ capability }) => capability === token.name)
    const silent = providers[at]
    if (silent?.up) {
      const message = `Module '${silent.id}' gave no implementation of '${token.name}', which '${id}' uses. Call ctx.provide in its load.`
      throw new ModuleError('SERVICE_MISSING', message, { module: silent.id })
    }
    if (silent) throw new ServiceGone(silent.id, silent.error?.message ?? `it is ${silent.state}`)
    const fix = `Add '${token.name}@^${token.version}' to 'requires' in its module.yaml, or use ctx.maybe.`
    throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not require '${token.name}'. ${fix}`, { module: id })
  }

  #serve<T>(slot: ServiceSlot, token: Token<T>): T {
    if (serves(slot.token, token)) return slot.handle as T
    const message = `Module '${slot.module}' offers '${token.name}' ${slot.token.version}, '${this.id}' asks for ${token.version}. Update one of them.`
    throw new ModuleError('SERVICE_MISSING', message, { module: this.id })
  }

  #makeLog(): ModuleLog {
    const write = (level: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
      this.#life.host.bus.emit('log', { module: this.id, level, message, ...(fields && { fields }) })
    }
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  #makeTimers(): ModuleTimers {
    // An error thrown into the event loop would end the process: it fails the module instead.
    const guarded = async (run: () => unknown) => {
      try {
        await run()
      } catch (error) {
        this.fail(error)
      }
    }
    return {
      setTimeout: (run, ms) => {
        const scope = this.#life.open('setTimeout')
        const timer = setTimeout(() => {
          undo()
          void guarded(run)
        }, ms)
        const undo = scope.add('setTimeout', () => clearTimeout(timer))
        return undo as () => void
      },
      setInterval: (run, ms) => {
        const scope = this.#life.open('setInterval')
        const timer = setInterval(() => void guarded(run), ms)
        return scope.add('setInterval', () => clearInterval(timer)) as () => void
      },
    }
  }
}
