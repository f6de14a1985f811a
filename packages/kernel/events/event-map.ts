import type { ModulePhase, ModuleState } from '../lifecycle/state.js'

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
  'module.crashed': { id: string; message: string }
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
  EpochStart: { epoch: number }
  /** `loss` in nats. */
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
