import type { ModuleEvents } from './event-map.js'

// The built-in events of the seed documents, under their names. Those that are ours already are not emitted twice: a subscription
// to `PluginLoaded` is one to `module.loaded` that sees another payload. The others (`TensorOp`, `EpochStart`, …) are plain names.

/** One of the seeds' events as a view of ours. */
export interface SeedView {
  /** Our name; undefined: every event that is not the kernel's own. */
  readonly of: keyof ModuleEvents | undefined
  see(payload: never, name: string): unknown
}

function view<Ours extends keyof ModuleEvents, Name extends keyof ModuleEvents>(
  of: Ours,
  _name: Name,
  see: (payload: ModuleEvents[Ours]) => ModuleEvents[Name],
): SeedView {
  return { of, see }
}

export const seedViews: ReadonlyMap<string, SeedView> = new Map<string, SeedView>([
  ['SystemInit', view('manager.ready', 'SystemInit', () => ({}))],
  ['SystemShutdown', view('manager.shutdown', 'SystemShutdown', () => ({}))],
  ['PluginLoaded', view('module.loaded', 'PluginLoaded', ({ id }) => ({ plugin_id: id }))],
  ['PluginUnloaded', view('module.unloaded', 'PluginUnloaded', ({ id }) => ({ plugin_id: id }))],
  ['Custom', { of: undefined, see: (data: unknown, name) => ({ event_type: name, data }) }],
])

const plain: ReadonlySet<string> = new Set(['TensorOp', 'EpochStart', 'EpochEnd', 'BackendChanged', 'Telemetry'])

/** Whether an event is one of the seeds' custom ones: neither the kernel's nor one that they name. */
export function isCustom(name: string): boolean {
  return name !== 'log' && !plain.has(name) && !/^(?:bus|manager|module)\./.test(name)
}
