import type { ModuleConfig } from '../config/config.js'
import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { ResourceLedger } from '../resources/ledger.js'
import { reconcile } from '../resources/resource-watch.js'
import { ModuleContext } from './context.js'
import { drive, type Steps } from './drive.js'
import { type ContextHost, ModuleLife } from './life.js'
import { type Limit, withinLimit } from './limit.js'
import type { ModuleRecord } from './record.js'
import { ServiceSlot } from './services.js'
import { checkTransition, type ModulePhase, type ModuleState } from './state.js'

// The operations on one module. Each ends in a settled state, whatever the module's code does; an error means that
// everything the module had registered is undone and the module is in `error` (`unloaded` when it was cancelled).
// They answer at once where nothing of the module is asynchronous.

type Operation = 'load' | 'start' | 'stop' | 'unload'

/** Milliseconds. */
export interface LifecycleTimes {
  /** Until `module.slow` is emitted; default 10 000. */
  readonly warn: number
  /** From the abort signal until an operation is given up; default 2 000. */
  readonly grace: number
}

export class Lifecycle {
  readonly #host: ContextHost
  readonly #ledger: ResourceLedger
  readonly #times: LifecycleTimes
  readonly #onState: (record: ModuleRecord) => void

  constructor(host: ContextHost, ledger: ResourceLedger, times: LifecycleTimes, onState: (record: ModuleRecord) => void) {
    this.#host = host
    this.#ledger = ledger
    this.#times = times
    this.#onState = onState
  }

  /** unloaded → loading → loaded. @throws ModuleError `LOAD_FAILED`, `TIMEOUT`, `CANCELLED`, or the module's own */
  load(record: ModuleRecord, config: ModuleConfig): void | Promise<void> {
    return drive(this.#load(record, config))
  }

  *#load(record: ModuleRecord, config: ModuleConfig): Steps<void> {
    this.transition(record, 'loading')
    this.#host.bus.emit('module.loading', { id: record.id, ...(record.neededBy && { neededBy: record.neededBy }) })
    record.begun = performance.now()
    const life = new ModuleLife(this.#host, record, config)
    const context = new ModuleContext<never>(life)
    record.life = life
    record.context = context
    record.config = config
    record.error = undefined
    try {
      const definition = (yield this.#bound(record, 'load', record.source())) as NonNullable<ModuleRecord['definition']>
      record.definition = definition
      if (definition.estimate) {
        const estimate = yield this.#bound(record, 'load', definition.estimate(config as never))
        this.#ledger.reserve(record.id, { ...this.#ledger.of(record.id), ...(estimate as object) })
      }
      const api = definition.load ? yield this.#bound(record, 'load', definition.load(context)) : undefined
      if (life.ended) throw life.reason
      if (api !== undefined && api !== null)
        record.api = new ServiceSlot(record.id, { name: record.id, version: record.manifest.version }, api, true)
      const { handover } = record
      if (handover && definition.restore) {
        yield this.#bound(record, 'load', definition.restore(context, handover.state, record.implementation as never))
        if (life.ended) throw life.reason
      }
      this.#ledger.markUsed(record.id)
      record.loadMs = performance.now() - record.begun
      this.transition(record, 'loaded')
      this.#host.bus.emit('module.loaded', { id: record.id, ms: record.loadMs })
      if (definition.usage) reconcile({ ledger: this.#ledger, bus: this.#host.bus }, record)
    } catch (cause) {
      // A life that was ended is the reason, whatever the module threw because of it.
      throw yield* this.#abandon(record, life.ended ? life.reason : cause, 'LOAD_FAILED', false)
    } finally {
      record.handover = undefined
    }
  }

  /**
   * loaded → active. With `undoLater` a failure leaves the module loaded and marked `failed`, for the caller to unload after
   * the modules that need it.
   * @throws ModuleError `START_FAILED`, `TIMEOUT`, `CANCELLED`
   */
  start(record: ModuleRecord, undoLater: boolean): void | Promise<void> {
    // Most modules have nothing to start.
    if (record.definition?.start || record.crashing || record.life?.ended) return drive(this.#start(record, undoLater))
    this.#activate(record, 0)
  }

  *#start(record: ModuleRecord, undoLater: boolean): Steps<void> {
    if (record.crashing) yield* this.#settleCrash(record)
    const { definition, context } = record
    const life = record.life!
    this.#phase(record, 'starting')
    const begun = performance.now()
    try {
      if (definition?.start) {
        life.starting = true
        yield this.#bound(record, 'start', definition.start(context!, record.implementation as never))
        life.starting = false
      }
      if (life.ended) throw life.reason
      this.#activate(record, performance.now() - begun)
    } catch (cause) {
      life.starting = false
      const reason = life.ended ? life.reason : cause
      if (!undoLater) throw yield* this.#abandon(record, reason, 'START_FAILED', true)
      const error = this.#wrap(record, reason, 'START_FAILED', [])
      if (error.code !== 'CANCELLED' || record.stuck) record.failed = error
      throw error
    }
  }

  #activate(record: ModuleRecord, ms: number): void {
    record.startMs = ms
    this.transition(record, 'active')
    this.#host.bus.emit('module.started', { id: record.id, ms })
  }

  /** active → loaded. @throws ModuleError `STOP_FAILED`, `TIMEOUT` */
  stop(record: ModuleRecord): void | Promise<void> {
    if (record.definition?.stop || record.life?.startScope || record.crashing) return drive(this.#stop(record))
    this.#deactivate(record)
  }

  *#stop(record: ModuleRecord): Steps<void> {
    if (record.crashing) yield* this.#settleCrash(record)
    const { definition, context } = record
    const life = record.life!
    this.#phase(record, 'stopping')
    try {
      if (definition?.stop) yield this.#bound(record, 'stop', definition.stop(context!, record.implementation as never))
      const scope = life.startScope
      life.startScope = undefined
      yield scope?.close()
      this.#deactivate(record)
    } catch (cause) {
      throw yield* this.#abandon(record, cause, 'STOP_FAILED', true)
    }
  }

  #deactivate(record: ModuleRecord): void {
    this.transition(record, 'loaded')
    this.#host.bus.emit('module.stopped', { id: record.id })
  }

  /** loaded → unloaded (`error`, if its start had failed). @throws ModuleError `UNLOAD_FAILED`, `TIMEOUT` */
  unload(record: ModuleRecord): void | Promise<void> {
    return drive(this.#unload(record))
  }

  *#unload(record: ModuleRecord): Steps<void> {
    if (record.crashing) yield* this.#settleCrash(record)
    this.#phase(record, 'unloading')
    const reason = () => new ModuleError('CANCELLED', `Module '${record.id}' is being unloaded.`, { module: record.id })
    const errors = yield* this.#tearDown(record, true, reason)
    if (record.failed) {
      this.#settleError(record, errors.length === 0 ? record.failed : this.#wrap(record, record.failed, 'START_FAILED', errors))
      record.failed = undefined
      return
    }
    if (errors.length > 0) {
      const error = this.#wrap(record, errors[0], 'UNLOAD_FAILED', errors.slice(1))
      this.#settleError(record, error)
      throw error
    }
    this.transition(record, 'unloaded')
    this.#host.bus.emit('module.unloaded', { id: record.id })
  }

  /**
   * A module that is up can no longer work: its services are gone at once, what it had registered is undone, it goes to
   * `error`. During one of its operations that operation fails instead. Nothing happens to a life that has ended.
   */
  crash(life: ModuleLife, cause: unknown): void {
    const { record } = life
    if (life.ended || record.life !== life) return
    const error = this.#wrap(record, cause ?? 'it ended', 'CRASHED', [])
    if (!record.up || record.phase !== undefined) {
      life.end(error)
      return
    }
    this.#host.crashed(record, cause === undefined)
    this.#host.bus.emit('module.crashed', { id: record.id, message: error.message, clean: cause === undefined })
    const done = drive(this.#crash(record, error))
    if (done === undefined) return
    record.crashing = done.finally(() => {
      record.crashing = undefined
    })
  }

  *#crash(record: ModuleRecord, error: ModuleError): Steps<void> {
    this.#phase(record, record.state === 'active' ? 'stopping' : 'unloading')
    // Its own functions are not called any more: it has just said that it does not work.
    const errors = yield* this.#tearDown(record, false, error)
    this.#settleError(record, errors.length === 0 ? error : this.#wrap(record, error, 'CRASHED', errors))
  }

  *#settleCrash(record: ModuleRecord): Steps<void> {
    yield record.crashing
    throw record.error
  }

  /** Leaves `error`. @throws ModuleError `STUCK` while the failed code is still running */
  reset(record: ModuleRecord): void {
    if (record.stuck) {
      const fix = 'Restart the process, or wait until it ends.'
      throw new ModuleError('STUCK', `Module '${record.id}' is stuck: it ignored its abort signal and still runs. ${fix}`, {
        module: record.id,
      })
    }
    this.transition(record, 'unloaded')
    record.error = undefined
  }

  transition(record: ModuleRecord, to: ModuleState): void {
    const from = record.state
    checkTransition(record.id, from, to)
    record.state = to
    record.phase = undefined
    this.#onState(record)
    this.#host.bus.emit('module.state', { id: record.id, from, to })
  }

  #phase(record: ModuleRecord, phase: ModulePhase): void {
    // `starting` needs loaded, `stopping` active, `unloading` loaded: the state that follows is checked before the code runs.
    checkTransition(record.id, record.state, phase === 'starting' ? 'active' : phase === 'stopping' ? 'loaded' : 'unloaded')
    record.phase = phase
    this.#host.bus.emit('module.state', { id: record.id, from: record.state, to: record.state, phase })
  }

  // An unload is bounded by its limit alone: its life has ended before it.
  #bound<T>(record: ModuleRecord, operation: Operation, result: T | PromiseLike<T>): T | Promise<T> {
    return withinLimit(record.life!, result, () => this.#limit(record, operation), operation === 'unload')
  }

  #limit(record: ModuleRecord, operation: Operation): Limit {
    const { id, manifest } = record
    const key = operation === 'load' ? 'loadTimeout' : operation === 'start' ? 'startTimeout' : 'stopTimeout'
    const ms = manifest.lifecycle[key]
    return {
      ms,
      warn: this.#times.warn,
      grace: this.#times.grace,
      onSlow: (waited) => void this.#host.bus.emit('module.slow', { id, operation, ms: waited }),
      onTimeout: () => {
        const fix = `Make it faster, or raise lifecycle.${key} in its module.yaml.`
        return new ModuleError('TIMEOUT', `Module '${id}' did not ${operation} in ${ms} ms. ${fix}`, { module: id })
      },
      onStuck: (settled) => {
        if (record.definition?.kill) return record.definition.kill()
        record.stuck = true
        void settled.then(() => {
          record.stuck = false
          this.#onState(record)
        })
      },
    }
  }

  /** Undoes all of a module that failed, and gives the error to throw. */
  *#abandon(record: ModuleRecord, cause: unknown, code: ModuleErrorCode, callUnload: boolean): Steps<ModuleError> {
    const cancelled = cause instanceof ModuleError && cause.code === 'CANCELLED'
    const more = yield* this.#tearDown(record, callUnload, cause)
    const error = this.#wrap(record, cause, code, more)
    if (cancelled && more.length === 0 && !record.stuck) this.transition(record, 'unloaded')
    else this.#settleError(record, error)
    return error
  }

  /** Ends the life: signal, module's own `unload`, scopes, services, reservation. Returns what went wrong. */
  *#tearDown(record: ModuleRecord, callUnload: boolean, reason: unknown): Steps<unknown[]> {
    const errors: unknown[] = []
    const { life, definition, context, api, implementation } = record
    const failed = reason instanceof ModuleError && reason.code !== 'CANCELLED'
    const why = failed ? `it failed: ${reason.message}` : `'${record.id}' was unloaded`
    // Handles of a module that failed throw from here on; one that is unloaded serves until its own `unload` has run.
    if (failed) for (const slot of record.services) slot.end(why)
    api?.end(why)
    if (life) {
      life.end(reason)
      // A module that ignores its signal is not called again: its code is in an unknown place.
      if (callUnload && !record.stuck && definition?.unload) {
        try {
          yield this.#bound(record, 'unload', definition.unload(context!, implementation as never))
        } catch (error) {
          errors.push(error)
        }
      }
      for (
        let scope = life.startScope ?? life.scope;
        scope !== undefined;
        scope = scope === life.scope ? undefined : life.scope
      ) {
        try {
          yield scope.close()
        } catch (error) {
          errors.push(error)
        }
      }
    }
    // Nothing may outlive the module: what a runtime elsewhere still holds goes by force.
    definition?.kill?.()
    record.orphan()
    record.life = undefined
    record.context = undefined
    record.definition = undefined
    this.#ledger.release(record.id)
    return errors
  }

  #settleError(record: ModuleRecord, error: ModuleError): void {
    record.error = error
    this.transition(record, 'error')
    this.#host.bus.emit('module.error', { id: record.id, code: error.code, message: error.message })
  }

  #wrap(record: ModuleRecord, cause: unknown, code: ModuleErrorCode, more: readonly unknown[]): ModuleError {
    const also = more.length === 0 ? '' : ` While undoing it: ${more.map(messageOf).join('; ')}`
    if (cause instanceof ModuleError && also === '' && cause.module === record.id) return cause
    const kept = cause instanceof ModuleError && cause.module === record.id ? cause.code : code
    const message =
      kept === code
        ? `Module '${record.id}' ${failures[code] ?? 'failed'}: ${messageOf(cause)}${also}`
        : `${messageOf(cause)}${also}`
    return new ModuleError(kept, message, {
      module: record.id,
      cause: more.length === 0 ? cause : new AggregateError([cause, ...more]),
    })
  }
}

const failures: Partial<Record<ModuleErrorCode, string>> = {
  LOAD_FAILED: 'failed to load',
  START_FAILED: 'failed to start',
  STOP_FAILED: 'failed to stop',
  UNLOAD_FAILED: 'failed to unload',
  CRASHED: 'failed while it was running',
}
