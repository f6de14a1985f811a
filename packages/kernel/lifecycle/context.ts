import type { ModuleConfig } from '../config/config.js'
import { ModuleError } from '../errors.js'
import type { EventRecord } from '../events/event-history.js'
import type { LogLevel, PayloadOf } from '../events/event-map.js'
import type { EventBus, EventHandler, SubscribeOptions } from '../events/events.js'
import type { Manifest } from '../manifest/manifest.js'
import { Lifeline } from './limit.js'
import { closedError, type Disposer, Scope } from './scope.js'
import { type ServiceRegistry, type ServiceSlot, serves, type Token } from './services.js'

/** What all contexts of one manager share. */
export interface ContextHost {
  readonly bus: EventBus
  readonly services: ServiceRegistry
}

export interface ModuleLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** The event bus as a module sees it: subscriptions end with the module. */
export interface ModuleEventsView {
  emit<Name extends string>(name: Name, payload: PayloadOf<Name>): number
  on<Name extends string>(pattern: Name, handler: EventHandler<Name>, options?: Omit<SubscribeOptions, 'module'>): () => void
  /** The last events, oldest first. */
  recent(pattern?: string): EventRecord[]
}

/** Timers that end with the module; each returns the function that stops it. */
export interface ModuleTimers {
  setTimeout(run: () => void, ms: number): () => void
  setInterval(run: () => void, ms: number): () => void
}

/** One life of a module, from load to unload: what the manager steers and the context registers with. */
export class ModuleLife {
  readonly lifeline = new Lifeline()
  readonly scope: Scope
  /** Effects of `start`, undone by `stop`. */
  startScope: Scope | undefined
  starting = false
  config: unknown

  constructor(manifest: Manifest, config: unknown) {
    this.scope = new Scope(manifest.id, manifest.lifecycle.stopTimeout)
    this.config = config
  }
}

/** What a module's code is given: one per load. Nothing here reaches modules that the manifest does not name. */
export class ModuleContext<Config = ModuleConfig> {
  readonly #host: ContextHost
  readonly #manifest: Manifest
  readonly #bindings: readonly string[]
  readonly #life: ModuleLife
  #log: ModuleLog | undefined
  #events: ModuleEventsView | undefined
  #timers: ModuleTimers | undefined

  /** Made by the manager. `bindings[i]` is the module bound to `manifest.requires[i]`. */
  constructor(host: ContextHost, manifest: Manifest, life: ModuleLife, bindings: readonly string[]) {
    this.#host = host
    this.#manifest = manifest
    this.#life = life
    this.#bindings = bindings
  }

  get id(): string {
    return this.#manifest.id
  }

  /** Checked against the manifest's schema, defaults filled in. */
  get config(): Config {
    return this.#life.config as Config
  }

  /** Aborted when the module is unloaded, runs out of time, or its load is undone. */
  get signal(): AbortSignal {
    return this.#life.lifeline.signal
  }

  /** Written as `log` events; the logger module prints and stores them, without it they stay in the bus's history. */
  get log(): ModuleLog {
    return (this.#log ??= this.#makeLog())
  }

  get events(): ModuleEventsView {
    return (this.#events ??= this.#makeEvents())
  }

  get timers(): ModuleTimers {
    return (this.#timers ??= this.#makeTimers())
  }

  /**
   * Gives the implementation of a capability that the manifest lists under `provides`.
   * @throws ModuleError `SERVICE_UNDECLARED` when it does not, `SERVICE_TAKEN` at the second time
   */
  provide<T>(token: Token<T>, implementation: T): void {
    const { id, provides } = this.#manifest
    if (token.name !== id && !provides.some(({ capability }) => capability === token.name)) {
      const fix = `Add { capability: ${token.name}, version: ${token.version}.0 } to 'provides' in its module.yaml.`
      throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not declare the capability '${token.name}'. ${fix}`, {
        module: id,
      })
    }
    const scope = this.#open(`provide ${token.name}`)
    const { services } = this.#host
    const slot = services.provide(id, token, implementation)
    scope.add(`provide ${token.name}`, () => services.withdraw(slot, `'${id}' was unloaded`))
  }

  /**
   * The service of a module that the manifest names under `requires` (by the capability or by a module that provides it).
   * The handle throws `ServiceGone` once that module is gone; `unwrap(handle)` gives the implementation for hot loops.
   * @throws ModuleError `SERVICE_UNDECLARED` when the manifest does not name it, `SERVICE_MISSING` when it gave no implementation
   */
  use<T>(token: Token<T>): T {
    const { requires, id } = this.#manifest
    const slots = this.#host.services.of(token.name)
    let declared = false
    for (let i = 0; i < requires.length; i++) {
      const provider = this.#bindings[i]!
      if (requires[i]!.capability === token.name) declared = true
      for (const slot of slots) if (slot.module === provider) return this.#serve(slot, token)
    }
    if (declared) {
      const provider = this.#bindings[requires.findIndex(({ capability }) => capability === token.name)]!
      const message = `Module '${provider}' gave no implementation of '${token.name}', which '${id}' uses. Call ctx.provide in its load.`
      throw new ModuleError('SERVICE_MISSING', message, { module: provider })
    }
    const fix = `Add '${token.name}@^${token.version}' to 'requires' in its module.yaml, or use ctx.maybe.`
    throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not require '${token.name}'. ${fix}`, { module: id })
  }

  /**
   * The service of a capability that may be absent, as it is now: ask at each use, as it may come and go.
   * @throws ModuleError `SERVICE_UNDECLARED` unless the manifest names it under `optional` (or `requires`)
   */
  maybe<T>(token: Token<T>): T | undefined {
    const { optional, requires, id } = this.#manifest
    const slots = this.#host.services.of(token.name)
    const slot = slots.find((given) => serves(given.token, token))
    const named = (name: string) => name === token.name || name === slot?.module
    if (optional.some(({ capability }) => named(capability)) || requires.some(({ capability }) => named(capability))) {
      return slot?.handle as T | undefined
    }
    const fix = `Add '${token.name}' to 'optional' in its module.yaml.`
    throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not name '${token.name}'. ${fix}`, { module: id })
  }

  /** Runs when the module goes (at `stop` if called within `start`). Returns a function that runs it now. */
  onDispose(dispose: Disposer, label = 'onDispose'): () => unknown {
    return this.#open(label).add(label, dispose)
  }

  /** Runs something now and its result (a disposer) when the module goes. Returns a function that undoes it now. */
  effect(label: string, run: () => Disposer): () => unknown {
    const scope = this.#open(label)
    return scope.add(label, run())
  }

  /** Labels of what is registered, oldest first. */
  get effects(): string[] {
    return [...this.#life.scope.labels, ...(this.#life.startScope?.labels ?? [])]
  }

  #open(what: string): Scope {
    const { lifeline, starting, startScope, scope } = this.#life
    if (lifeline.ended) throw closedError(this.id, what)
    return starting && startScope ? startScope : scope
  }

  #serve<T>(slot: ServiceSlot, token: Token<T>): T {
    if (serves(slot.token, token)) return slot.handle as T
    const message = `Module '${slot.module}' offers '${token.name}' ${slot.token.version}, '${this.id}' asks for ${token.version}. Update one of them.`
    throw new ModuleError('SERVICE_MISSING', message, { module: this.id })
  }

  #makeLog(): ModuleLog {
    const write = (level: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
      this.#host.bus.emit('log', { module: this.id, level, message, ...(fields && { fields }) })
    }
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  #makeEvents(): ModuleEventsView {
    const { bus } = this.#host
    return {
      emit: (name, payload) => bus.emit(name, payload),
      on: (pattern, handler, options) => {
        const label = `on ${pattern}`
        const scope = this.#open(label)
        return scope.add(label, bus.on(pattern, handler, { ...options, module: this.id })) as () => void
      },
      recent: (pattern) => bus.recent(pattern),
    }
  }

  #makeTimers(): ModuleTimers {
    return {
      setTimeout: (run, ms) => {
        const scope = this.#open('setTimeout')
        const timer = setTimeout(() => {
          undo()
          run()
        }, ms)
        const undo = scope.add('setTimeout', () => clearTimeout(timer))
        return undo as () => void
      },
      setInterval: (run, ms) => {
        const scope = this.#open('setInterval')
        const timer = setInterval(run, ms)
        return scope.add('setInterval', () => clearInterval(timer)) as () => void
      },
    }
  }
}
