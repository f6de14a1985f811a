import type { ModuleConfig } from '../config/config.js'
import type { ModuleDefinition } from '../define.js'
import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { ResourceLedger } from '../resources/ledger.js'
import { reconcile } from '../resources/resource-watch.js'
import { ModuleContext } from './context.js'
import { drive, type Steps } from './drive.js'
import { type ContextHost, ModuleLife } from './life.js'
import { type Limit, type Told, withinLimit } from './limit.js'
import type { ModuleRecord } from './record.js'
import { ServiceSlot } from './services.js'
import { checkTransition, type ModulePhase, type ModuleState } from './state.js'
import { isThenable } from './thenable.js'

// The operations on one module. Each ends in a settled state, whatever the module's code does; an error means that
// everything the module had registered is undone and the module is in `error` (`unloaded` when it was cancelled).
// They answer at once where nothing of the module is asynchronous.

type Operation = 'load' | 'start' | 'stop' | 'unload'

/** Whose limit bounds what. */
const limits = { load: 'loadTimeout', start: 'startTimeout', stop: 'stopTimeout', unload: 'stopTimeout' } as const

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

  constructor(host: ContextHost, ledger: ResourceLedger, times: LifecycleTimes) {
    this.#host = host
    this.#ledger = ledger
    this.#times = times
  }

  // Loads and unloads are written as a straight way for modules where nothing is asynchronous, in functions small enough to be
  // interpreted cheaply once per module, and as a generator for the rest of the way from where something is.

  /** unloaded → loading → loaded. @throws ModuleError `LOAD_FAILED`, `TIMEOUT`, `CANCELLED`, or the module's own */
  load(record: ModuleRecord, config: ModuleConfig): void | Promise<void> {
    this.#begin(record, config)
    let rest: Steps<void> | Promise<void> | undefined
    try {
      rest = this.#loadAtOnce(record)
    } catch (cause) {
      rest = failed(cause)
    }
    return rest === undefined || rest instanceof Promise ? rest : drive(this.#guarded(record, rest))
  }

  #begin(record: ModuleRecord, config: ModuleConfig): void {
    this.transition(record, 'loading')
    const { id, neededBy } = record
    this.#host.bus.emit('module.loading', neededBy === undefined ? { id } : { id, neededBy })
    record.begun = performance.now()
    record.life = new ModuleLife(this.#host, record, config)
    record.context = new ModuleContext<never>(record.life)
    record.config = config
    record.error = undefined
  }

  /** The rest of the way, where there is one. */
  #loadAtOnce(record: ModuleRecord): Steps<void> | Promise<void> | undefined {
    const { source } = record
    const definition = typeof source === 'function' ? source() : source
    if (isThenable(definition) || definition.estimate || record.handover) return this.#loadFrom(record, definition)
    record.definition = definition
    const api = definition.load?.(record.context!)
    if (isThenable(api)) return this.#loadedAfter(record, this.#bound(record, 'load', api))
    this.#loaded(record, api)
    return undefined
  }

  async #loadedAfter(record: ModuleRecord, pending: unknown): Promise<void> {
    try {
      this.#loaded(record, await pending)
    } catch (cause) {
      await drive(this.#failLoad(record, cause))
    }
  }

  *#loadFrom(record: ModuleRecord, given: ModuleDefinition<never> | Promise<ModuleDefinition<never>>): Steps<void> {
    const definition = (yield this.#bound(record, 'load', given)) as NonNullable<ModuleRecord['definition']>
    record.definition = definition
    if (definition.estimate) {
      const estimate = yield this.#bound(record, 'load', definition.estimate(record.config as never))
      this.#ledger.reserve(record.id, { ...this.#ledger.of(record.id), ...(estimate as object) })
    }
    yield* this.#entered(record, definition.load?.(record.context!))
  }

  *#entered(record: ModuleRecord, answer: unknown): Steps<void> {
    const api = yield this.#bound(record, 'load', answer)
    const { handover, definition, context } = record
    if (!handover || !definition?.restore) return this.#loaded(record, api)
    this.#setApi(record, api)
    yield this.#bound(record, 'load', definition.restore(context!, handover.state, record.implementation as never))
    this.#loaded(record, api)
  }

  #setApi(record: ModuleRecord, api: unknown): void {
    if (api === undefined || api === null || record.api !== undefined) return
    record.api = new ServiceSlot(record.id, { name: record.id, version: record.manifest.version }, api, true)
  }

  #loaded(record: ModuleRecord, api: unknown): void {
    const life = record.life!
    if (life.ended) throw life.reason
    if (api !== undefined) this.#setApi(record, api)
    this.#ledger.markUsed(record.id)
    const ms = performance.now() - record.begun!
    record.loadMs = ms
    this.transition(record, 'loaded')
    this.#host.bus.emit('module.loaded', { id: record.id, ms })
    if (record.definition!.usage) reconcile({ ledger: this.#ledger, bus: this.#host.bus }, record)
  }

  *#guarded(record: ModuleRecord, steps: Steps<void>): Steps<void> {
    try {
      yield* steps
    } catch (cause) {
      yield* this.#failLoad(record, cause)
    } finally {
      record.handover = undefined
    }
  }

  *#failLoad(record: ModuleRecord, cause: unknown): Steps<never> {
    // A life that was ended is the reason, whatever the module threw because of it.
    const life = record.life!
    throw yield* this.#abandon(record, life.ended ? life.reason : cause, 'LOAD_FAILED', false)
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
    if (record.crashing) return drive(this.#settleCrash(record))
    this.#phase(record, 'unloading')
    const errors: unknown[] = []
    const rest = this.#undoAtOnce(record, true, reasonOfUnload, errors)
    return rest ? drive(this.#unloadedAfter(record, rest, errors)) : this.#unloaded(record, errors)
  }

  *#unloadedAfter(record: ModuleRecord, steps: Steps<void>, errors: unknown[]): Steps<void> {
    yield* steps
    this.#unloaded(record, errors)
  }

  #unloaded(record: ModuleRecord, errors: readonly unknown[]): void {
    if (record.failed || errors.length > 0) this.#unloadedBadly(record, errors)
    else this.#unloadedWell(record)
  }

  #unloadedWell(record: ModuleRecord): void {
    this.transition(record, 'unloaded')
    this.#host.bus.emit('module.unloaded', { id: record.id })
  }

  #unloadedBadly(record: ModuleRecord, errors: readonly unknown[]): void {
    const cause = record.failed ?? errors[0]
    const more = record.failed ? errors : errors.slice(1)
    const error =
      record.failed && more.length === 0
        ? record.failed
        : this.#wrap(record, cause, record.failed ? 'START_FAILED' : 'UNLOAD_FAILED', more)
    this.#settleError(record, error)
    if (record.failed === undefined) throw error
    record.failed = undefined
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
    const host = this.#host
    host.changed(record)
    host.bus.emit('module.state', { id: record.id, from, to })
  }

  #phase(record: ModuleRecord, phase: ModulePhase): void {
    // `starting` needs loaded, `stopping` active, `unloading` loaded: the state that follows is checked before the code runs.
    checkTransition(record.id, record.state, phase === 'starting' ? 'active' : phase === 'stopping' ? 'loaded' : 'unloaded')
    record.phase = phase
    this.#host.bus.emit('module.state', { id: record.id, from: record.state, to: record.state, phase })
  }

  // An unload is bounded by its limit alone: its life has ended before it.
  #bound<T>(record: ModuleRecord, operation: Operation, result: T | PromiseLike<T>): T | Promise<T> {
    if (!isThenable(result)) return result
    return withinLimit(record.life!, result, this.#limit(record, operation), operation === 'unload')
  }

  #limit(record: ModuleRecord, operation: Operation): Limit {
    const { warn, grace } = this.#times
    return { ms: record.manifest.lifecycle[limits[operation]], warn, grace, told: () => this.#told(record, operation) }
  }

  #told(record: ModuleRecord, operation: Operation): Told {
    const { id, manifest } = record
    const key = limits[operation]
    const ms = manifest.lifecycle[key]
    return {
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
          this.#host.changed(record)
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
    const rest = this.#undoAtOnce(record, callUnload, reason, errors)
    if (rest) yield* rest
    return errors
  }

  /** The rest of the way, where there is one. What goes wrong is added to `errors`. */
  #undoAtOnce(record: ModuleRecord, callUnload: boolean, reason: unknown, errors: unknown[]): Steps<void> | undefined {
    const implementation = record.implementation
    this.#endLife(record, reason)
    try {
      const answer = callUnload ? this.#ownUnload(record, implementation) : undefined
      if (isThenable(answer)) return this.#undoFrom(record, answer, errors)
    } catch (error) {
      errors.push(error)
    }
    return this.#closeAtOnce(record, errors)
  }

  #endLife(record: ModuleRecord, reason: unknown): void {
    // Handles of a module that failed throw from here on; one that is unloaded serves until its own `unload` has run.
    if (reason instanceof ModuleError && reason.code !== 'CANCELLED') {
      for (const slot of record.slots) slot.end(`it failed: ${reason.message}`)
    } else record.api?.end(`'${record.id}' was unloaded`)
    record.life?.end(reason)
  }

  // A module that ignores its signal is not called again: its code is in an unknown place.
  #ownUnload(record: ModuleRecord, implementation: unknown): unknown {
    const { definition, context } = record
    if (!definition?.unload || record.stuck) return undefined
    return this.#bound(record, 'unload', definition.unload(context!, implementation as never))
  }

  *#undoFrom(record: ModuleRecord, pending: unknown, errors: unknown[]): Steps<void> {
    try {
      yield pending
    } catch (error) {
      errors.push(error)
    }
    const rest = this.#closeAtOnce(record, errors)
    if (rest) yield* rest
  }

  #closeAtOnce(record: ModuleRecord, errors: unknown[]): Steps<void> | undefined {
    const { life } = record
    const pending = life?.startScope?.close() ?? life?.scope?.close()
    if (pending) return this.#closedAfter(record, pending, errors)
    this.#forget(record)
    return undefined
  }

  *#closedAfter(record: ModuleRecord, first: Promise<void>, errors: unknown[]): Steps<void> {
    for (let pending: Promise<void> | undefined = first; pending; pending = record.life?.scope?.close()) {
      try {
        yield pending
      } catch (error) {
        errors.push(error)
      }
    }
    this.#forget(record)
  }

  #forget(record: ModuleRecord): void {
    // Nothing may outlive the module: what a runtime elsewhere still holds goes by force.
    record.definition?.kill?.()
    record.orphan()
    record.life = undefined
    record.context = undefined
    record.definition = undefined
    this.#ledger.release(record.id)
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

/** An error's stack is dear: made only for who asks for the reason. */
const reasonOfUnload = () => new ModuleError('CANCELLED', 'The module is being unloaded.')

/** Steps that fail at once. */
// biome-ignore lint/correctness/useYield: nothing is waited for
function* failed(cause: unknown): Steps<void> {
  throw cause
}

const failures: Partial<Record<ModuleErrorCode, string>> = {
  LOAD_FAILED: 'failed to load',
  START_FAILED: 'failed to start',
  STOP_FAILED: 'failed to stop',
  UNLOAD_FAILED: 'failed to unload',
  CRASHED: 'failed while it was running',
}
