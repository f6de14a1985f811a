import type { ModuleConfig } from '../config/config.js'
import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { ResourceLedger } from '../resources/ledger.js'
import { type ContextHost, ModuleContext, ModuleLife } from './context.js'
import { type Limit, withinLimit } from './limit.js'
import type { ModuleRecord } from './record.js'
import { Scope } from './scope.js'
import { ServiceSlot } from './services.js'
import { checkTransition, type ModulePhase, type ModuleState } from './state.js'

// The four operations on one module. Each ends in a settled state, whatever the module's code does; an error means
// that everything the module had registered is undone and the module is in `error` (`unloaded` when it was cancelled).

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
  async load(record: ModuleRecord, bindings: readonly string[], config: ModuleConfig): Promise<void> {
    const { manifest } = record
    this.transition(record, 'loading')
    this.#host.bus.emit('module.loading', { id: record.id, ...(record.neededBy && { neededBy: record.neededBy }) })
    record.begun = performance.now()
    const life = new ModuleLife(manifest, config)
    const context = new ModuleContext<never>(this.#host, manifest, life, bindings)
    record.life = life
    record.context = context
    record.config = config
    record.error = undefined
    try {
      const definition = await this.#run(record, 'load', () => record.source())
      record.definition = definition
      if (definition.estimate) {
        const estimate = await this.#run(record, 'load', () => definition.estimate!(config as never))
        this.#ledger.reserve(record.id, { ...this.#ledger.of(record.id), ...estimate })
      }
      const api = definition.load ? await this.#run(record, 'load', () => definition.load!(context)) : undefined
      if (life.lifeline.ended) throw life.lifeline.reason
      if (api !== undefined && api !== null)
        record.api = new ServiceSlot(record.id, { name: record.id, version: manifest.version }, api)
      this.#ledger.markUsed(record.id)
      record.loadMs = performance.now() - record.begun
      this.transition(record, 'loaded')
      this.#host.bus.emit('module.loaded', { id: record.id, ms: record.loadMs })
    } catch (cause) {
      // A life that was ended is the reason, whatever the module threw because of it.
      throw await this.#abandon(record, life.lifeline.ended ? life.lifeline.reason : cause, 'LOAD_FAILED', false)
    }
  }

  /**
   * loaded → active. With `undoLater` a failure leaves the module loaded and marked `failed`, for the caller to unload after
   * the modules that need it.
   * @throws ModuleError `START_FAILED`, `TIMEOUT`, `CANCELLED`
   */
  async start(record: ModuleRecord, undoLater: boolean): Promise<void> {
    const { definition, context, life } = record
    this.#phase(record, 'starting')
    const begun = performance.now()
    try {
      if (definition?.start) {
        life!.startScope = new Scope(record.id, record.manifest.lifecycle.stopTimeout)
        life!.starting = true
        await this.#run(record, 'start', () => definition.start!(context!, record.implementation))
        life!.starting = false
      }
      if (life!.lifeline.ended) throw life!.lifeline.reason
      record.startMs = performance.now() - begun
      this.transition(record, 'active')
      this.#host.bus.emit('module.started', { id: record.id, ms: record.startMs })
    } catch (cause) {
      life!.starting = false
      const reason = life!.lifeline.ended ? life!.lifeline.reason : cause
      if (!undoLater) throw await this.#abandon(record, reason, 'START_FAILED', true)
      const error = this.#wrap(record, reason, 'START_FAILED', [])
      if (error.code !== 'CANCELLED' || record.stuck) record.failed = error
      throw error
    }
  }

  /** active → loaded. @throws ModuleError `STOP_FAILED`, `TIMEOUT` */
  async stop(record: ModuleRecord): Promise<void> {
    const { definition, context, life } = record
    this.#phase(record, 'stopping')
    try {
      if (definition?.stop) await this.#run(record, 'stop', () => definition.stop!(context!, record.implementation))
      const scope = life!.startScope
      life!.startScope = undefined
      await scope?.close()
      this.transition(record, 'loaded')
      this.#host.bus.emit('module.stopped', { id: record.id })
    } catch (cause) {
      throw await this.#abandon(record, cause, 'STOP_FAILED', true)
    }
  }

  /** loaded → unloaded (`error`, if its start had failed). @throws ModuleError `UNLOAD_FAILED`, `TIMEOUT` */
  async unload(record: ModuleRecord): Promise<void> {
    this.#phase(record, 'unloading')
    const reason = () => new ModuleError('CANCELLED', `Module '${record.id}' is being unloaded.`, { module: record.id })
    const errors = await this.#tearDown(record, true, reason)
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

  #run<T>(record: ModuleRecord, operation: Operation, run: () => T | PromiseLike<T>): T | Promise<T> {
    return withinLimit(record.life!.lifeline, run, () => this.#limit(record, operation))
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
        record.stuck = true
        void settled.then(() => {
          record.stuck = false
          this.#onState(record)
        })
      },
    }
  }

  /** Undoes all of a module that failed, and gives the error to throw. */
  async #abandon(record: ModuleRecord, cause: unknown, code: ModuleErrorCode, callUnload: boolean): Promise<ModuleError> {
    const cancelled = cause instanceof ModuleError && cause.code === 'CANCELLED'
    const more = await this.#tearDown(record, callUnload, cause)
    const error = this.#wrap(record, cause, code, more)
    if (cancelled && more.length === 0 && !record.stuck) this.transition(record, 'unloaded')
    else this.#settleError(record, error)
    return error
  }

  /** Ends the life: signal, module's own `unload`, scopes, services, reservation. Returns what went wrong. */
  async #tearDown(record: ModuleRecord, callUnload: boolean, reason: unknown): Promise<unknown[]> {
    const errors: unknown[] = []
    const { life, definition, context, implementation: api } = record
    record.api?.end(record.state === 'error' || record.state === 'loading' ? 'it failed' : `'${record.id}' was unloaded`)
    record.api = undefined
    if (life) {
      life.lifeline.end(reason)
      // A module that ignores its signal is not called again: its code is in an unknown place.
      const safe = callUnload && !record.stuck
      if (safe && definition?.unload) {
        try {
          await this.#run(record, 'unload', () => definition.unload!(context!, api))
        } catch (error) {
          errors.push(error)
        }
      }
      for (const scope of [life.startScope, life.scope]) {
        const closing = scope?.close()
        if (closing) await closing.catch((error: unknown) => void errors.push(error))
      }
    }
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
    const verb =
      { LOAD_FAILED: 'load', START_FAILED: 'start', STOP_FAILED: 'stop', UNLOAD_FAILED: 'unload' }[code as string] ?? 'run'
    const kept = cause instanceof ModuleError && cause.module === record.id ? cause.code : code
    const message =
      kept === code ? `Module '${record.id}' failed to ${verb}: ${messageOf(cause)}${also}` : `${messageOf(cause)}${also}`
    return new ModuleError(kept, message, {
      module: record.id,
      cause: more.length === 0 ? cause : new AggregateError([cause, ...more]),
    })
  }
}
