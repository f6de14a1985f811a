import { ModuleError, messageOf } from '../../errors.js'
import type { LogLevel } from '../../events/event-map.js'
import type { ModuleEventsView, ModuleHooksView } from '../../events/views.js'
import type { ModuleContext, ModuleLog, ModuleTimers } from '../../lifecycle/context.js'
import type { Disposer } from '../../lifecycle/scope.js'
import type { Token } from '../../lifecycle/services.js'
import type { Manifest } from '../../manifest/manifest.js'
import { openFacade } from '../wire/facade.js'
import type { Peer } from '../wire/peer.js'
import type { GuestEffects } from './effects.js'
import { GuestHandlers, guestEvents, guestHooks } from './guest-views.js'
import type { GuestObjects } from './objects.js'

/** The `ctx` of a module that runs elsewhere than its manager: the same members; services answer asynchronously. */
export class GuestContext implements Pick<ModuleContext, keyof ModuleContext> {
  readonly log: ModuleLog
  readonly events: ModuleEventsView
  readonly hooks: ModuleHooksView
  readonly handlers: GuestHandlers
  readonly timers: ModuleTimers
  config: Readonly<Record<string, unknown>>
  /** Known from the load on. */
  device = 'cpu'
  /** Names under `optional` and `requires` that somebody serves now; the host tells of changes. */
  present: ReadonlySet<string> = new Set()
  readonly #manifest: Manifest
  readonly #peer: Peer
  readonly #effects: GuestEffects
  readonly #objects: GuestObjects
  readonly #services = new Map<string, unknown>()

  constructor(
    manifest: Manifest,
    config: Readonly<Record<string, unknown>>,
    peer: Peer,
    readonly signal: AbortSignal,
    effects: GuestEffects,
    objects: GuestObjects,
  ) {
    this.config = config
    this.#manifest = manifest
    this.#peer = peer
    this.#effects = effects
    this.#objects = objects
    this.log = this.#makeLog()
    this.handlers = new GuestHandlers(peer, effects, this.log)
    this.events = guestEvents(manifest.id, peer, this.handlers)
    this.hooks = guestHooks(peer, this.handlers)
    this.timers = this.#makeTimers()
  }

  get id(): string {
    return this.#manifest.id
  }

  provide<T>(token: Token<T>, implementation: T): void {
    const { object, shape } = this.#objects.give(implementation)
    this.#effects.ask('provide', { name: token.name, version: token.version, object, shape }, (error) =>
      this.log.error(messageOf(error)),
    )
  }

  use<T>(token: Token<T>): T {
    return this.#service('use', token) as T
  }

  maybe<T>(token: Token<T>): T | undefined {
    const { optional, requires, id } = this.#manifest
    if (![...optional, ...requires].some(({ capability }) => capability === token.name)) {
      const fix = `Add '${token.name}' to 'optional' in its module.yaml; outside the manager's process, by the capability's own name.`
      throw new ModuleError('SERVICE_UNDECLARED', `Module '${id}' does not name '${token.name}'. ${fix}`, { module: id })
    }
    return this.present.has(token.name) ? (this.#service('maybe', token) as T) : undefined
  }

  onDispose(dispose: Disposer, label = 'onDispose'): () => unknown {
    return this.#effects.add(label, dispose)
  }

  effect(label: string, run: () => Disposer): () => unknown {
    return this.#effects.add(label, run())
  }

  get effects(): string[] {
    return this.#effects.labels
  }

  fail(error: unknown): void {
    this.#peer.notify('fail', { error: error instanceof Error ? error : new Error(messageOf(error)) })
  }

  run(label: string, task: (signal: AbortSignal) => Promise<unknown>): void {
    const controller = new AbortController()
    let done: Promise<unknown> = Promise.resolve()
    const undo = this.#effects.add(label, () => {
      controller.abort()
      return done
    })
    done = task(controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) this.fail(error)
    })
    void done.then(undo)
  }

  // The host checks every call: what is granted is decided there. Asking at once makes a missing grant fail the operation.
  #service(way: 'use' | 'maybe', token: Token<unknown>): unknown {
    const { name, version } = token
    const key = `${way} ${name} ${version}`
    if (!this.#services.has(key)) {
      this.#services.set(
        key,
        openFacade((method, args) => this.#peer.request('service', { way, name, version, method, args })),
      )
    }
    if (way === 'use') this.#effects.ask('check', { name, version })
    return this.#services.get(key)
  }

  #makeLog(): ModuleLog {
    const write = (level: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
      try {
        this.#peer.notify('log', { level, message: String(message), ...(fields && { fields }) })
      } catch (error) {
        this.#peer.notify('log', { level, message: `${message} (its fields are left out: ${messageOf(error)})` })
      }
    }
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  #makeTimers(): ModuleTimers {
    const guarded = async (run: () => unknown) => {
      try {
        await run()
      } catch (error) {
        this.fail(error)
      }
    }
    return {
      setTimeout: (run, ms) => {
        const timer = setTimeout(() => {
          undo()
          void guarded(run)
        }, ms)
        const undo = this.#effects.add('setTimeout', () => clearTimeout(timer))
        return undo as () => void
      },
      setInterval: (run, ms) => {
        const timer = setInterval(() => void guarded(run), ms)
        return this.#effects.add('setInterval', () => clearInterval(timer)) as () => void
      },
    }
  }
}
