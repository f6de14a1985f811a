import type { EventBus } from '../events/events.js'
import type { Hooks } from '../events/hooks.js'
import { Lifeline } from './limit.js'
import type { ModuleRecord } from './record.js'
import { closedError, Scope } from './scope.js'
import type { ServiceSlot } from './services.js'

/** What all contexts of one manager share. */
export interface ContextHost {
  readonly bus: EventBus
  readonly hooks: Hooks
  /** Services of a capability (or of a module, by its id) among the modules that are up. */
  services(capability: string): Iterable<ServiceSlot>
  /** The pool of a module's GPU memory; undefined without any. */
  deviceOf(module: string): string | undefined
  /** A module that was up has ended by itself, and is about to be undone. */
  crashed(record: ModuleRecord, clean: boolean): void
  /** The state of a module has changed. */
  changed(record: ModuleRecord): void
  /** A module says that it can no longer work. */
  crash(life: ModuleLife, cause: unknown): void
}

/** One life of a module, from load to unload: what the lifecycle steers and the context registers with. */
export class ModuleLife extends Lifeline {
  readonly host: ContextHost
  readonly record: ModuleRecord
  config: unknown
  /** Effects of `load`, undone by `unload`; made when there is one. */
  scope: Scope | undefined
  /** Effects of `start`, undone by `stop`. */
  startScope: Scope | undefined
  starting = false

  constructor(host: ContextHost, record: ModuleRecord, config: unknown) {
    super()
    this.host = host
    this.record = record
    this.config = config
  }

  /** The scope that takes an effect now. @throws ModuleError `CONTEXT_CLOSED` after the end */
  open(what: string): Scope {
    if (this.ended) throw closedError(this.record.id, what)
    if (this.starting) return (this.startScope ??= this.#scope())
    return (this.scope ??= this.#scope())
  }

  #scope(): Scope {
    const { id, manifest } = this.record
    return new Scope(id, manifest.lifecycle.stopTimeout)
  }
}
