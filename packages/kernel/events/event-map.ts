import type { Health } from '../define.js'
import type { ModuleErrorCode } from '../errors.js'
import type { ModulePhase, ModuleState } from '../lifecycle/state.js'
import type { Amounts } from '../resources/ledger.js'
import type { PressureLevel } from '../resources/pool.js'

/**
 * Names and payloads of events. Other packages add theirs by declaration merging:
 * `declare module '@enigma/kernel' { interface ModuleEvents { 'model.loaded': { name: string } } }`.
 */
export interface ModuleEvents {
  'module.registered': { id: string }
  /** Every change of state or phase. */
  'module.state': { id: string; from: ModuleState; to: ModuleState; phase?: ModulePhase }
  'module.loading': { id: string; neededBy?: string }
  'module.loaded': { id: string; ms: number }
  'module.started': { id: string; ms: number }
  'module.stopped': { id: string }
  'module.unloaded': { id: string }
  'module.error': { id: string; code: string; message: string }
  /** It failed while it was up; `module.error` follows when it is undone. */
  'module.crashed': { id: string; message: string /** It ended without an error. */; clean: boolean }
  /** It is started again in `delayMs`; `attempt` counts from 1 since it last ran for a while. */
  'module.restarting': { id: string; attempt: number; delayMs: number }
  /** It is up again, and handles lead to it. */
  'module.restarted': { id: string; attempt: number }
  /** It is not started again: somebody has put another in its place, or out of use. */
  'module.restart-dropped': { id: string; message: string }
  /** It crashed too often; loads of it are refused until `reset`. */
  'module.quarantined': { id: string; reason: string }
  /** Unloaded so that `goal` fits, by the policy `eviction: idle`. */
  'module.evicted': { id: string; goal: string }
  /** Its answer to `health()` is another than before. */
  'module.health': { id: string; status: Health['status']; message: string | undefined; previous: Health['status'] }
  /** A module says that it holds other amounts of memory (bytes) than the ledger had. */
  'ledger.reconciled': { id: string; before: Amounts; after: Amounts }
  /** More or less of a pool is in use: above 75 % `warning`, above 90 % `critical`. */
  'ledger.pressure': { pool: string; level: PressureLevel; share: number }
  /** Something is not as it should be, and the manager goes on without it. */
  'manager.warning': { code: ModuleErrorCode; message: string }
  /** What was bound to `from` is bound to `to` now. */
  'module.swapped': { from: string; to: string; ms: number }
  'module.reloaded': { id: string; version: string; ms: number }
  /** An operation runs longer than the warning time (10 s). */
  'module.slow': { id: string; operation: string; ms: number }
  /** A load pulled in requirements that were missing. */
  'module.closure': { goal: string; modules: readonly string[] }
  'module.config': { id: string }
  /** A change of its files could not be taken over; the code of before still serves. */
  'module.reload-failed': { id: string; message: string }
  /** What modules write to `ctx.log`. */
  log: LogRecord
  /** A handler threw or rejected. */
  'bus.error': { event: string; module: string | undefined; message: string; error: unknown; suspended: boolean }
  /** A subscription's queue lost events: at the first of a row, and, if there were more, again once the queue has run empty. */
  'bus.overflow': QueueOverflow
  /** The first load has been carried out. */
  'manager.ready': { modules: number }
  'manager.shutdown': { modules: number }

  // The seed documents' built-in events. The first four and `Custom` are views of other events (seed-events.ts), not events of their own.
  SystemInit: Readonly<Record<string, never>>
  SystemShutdown: Readonly<Record<string, never>>
  PluginLoaded: { plugin_id: string }
  PluginUnloaded: { plugin_id: string }
  TensorOp: { op_name: string; input_shape: readonly number[]; output_shape: readonly number[] }
  /** Epochs count from 0. */
  EpochStart: { epoch: number }
  /** `loss`: mean over the epoch; in nats per token where a language model is trained. */
  EpochEnd: { epoch: number; loss: number }
  BackendChanged: { backend: string }
  Telemetry: { data: Readonly<Record<string, number>> }
  /** Every event that is not the kernel's own; emitted, it is the event `event_type` with the payload `data`. */
  Custom: { event_type: string; data: unknown }
}

export interface QueueOverflow {
  /** Name of the event lost last. */
  readonly event: string
  /** What was subscribed to. */
  readonly pattern: string
  readonly module: string | undefined
  readonly overflow: OverflowPolicy
  /** Events lost since the queue was last empty. */
  readonly lost: number
  /** Events lost since the subscription began. */
  readonly dropped: number
}

/**
 * What a full queue does with the next event: `drop-oldest` makes room, `drop-newest` refuses it, `latest` forgets all that wait,
 * `block` lets `emitAsync` wait for room (and refuses it from `emit`, which cannot wait).
 */
export type OverflowPolicy = 'drop-oldest' | 'drop-newest' | 'latest' | 'block'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogRecord {
  readonly module: string
  readonly level: LogLevel
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/** The payload of an event name; unknown for names that no package has declared, and for patterns. */
export type PayloadOf<Name extends string> = Name extends keyof ModuleEvents ? ModuleEvents[Name] : unknown
