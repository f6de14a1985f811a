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
  /** What modules write to `ctx.log`. */
  log: LogRecord
  /** A handler threw or rejected. */
  'bus.error': { event: string; module: string | undefined; message: string; error: unknown; suspended: boolean }
  'manager.shutdown': { modules: number }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogRecord {
  readonly module: string
  readonly level: LogLevel
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/** The payload of an event name; unknown for names that no package has declared, and for patterns. */
export type PayloadOf<Name extends string> = Name extends keyof ModuleEvents ? ModuleEvents[Name] : unknown
