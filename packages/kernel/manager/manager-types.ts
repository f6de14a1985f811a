import type { ModuleConfig } from '../config/config.js'
import type { SetDiff } from '../config/diff-of-sets.js'
import type { ModuleErrorCode } from '../errors.js'
import type { Constraint } from '../resolver/constraint.js'
import type { HardwareOverrides } from '../resources/hardware.js'
import type { RestartPolicy } from '../supervision/restart-policy.js'

// What the manager's methods take and answer.

export interface ManagerOptions {
  /** Folders of modules, or modules themselves. Default none. */
  modules?: readonly string[]
  /** Refuse modules that reach external services. Default true. */
  localOnly?: boolean
  /** Fields of the machine to set instead of detecting them. */
  hardware?: HardwareOverrides
  /** Providers to take first, by capability. */
  prefer?: Readonly<Record<string, string>>
  /** Where what outlives the process is kept: the quarantine, and the key of saved secrets. Without one, the former is kept in memory and the latter not at all. */
  stateFolder?: string
  /** The folder of a `ModuleInstaller`: what was added there is found too, and runs as it was agreed to or not at all. */
  installed?: string
  /** Folders among `modules` that come with the program: an update of it changes their files, so saved sets do not hold them to hashes. */
  shipped?: readonly string[]
  /** Milliseconds: `warn` until `module.slow` (10 000), `grace` from the abort signal until code is given up (2 000). */
  times?: { warn?: number; grace?: number }
  /** How crashed modules are started again, where their manifests ask for it; times in milliseconds. */
  supervision?: Partial<RestartPolicy>
  /**
   * Milliseconds: `interval` between looks at the modules' health and memory (60 000; 0 is off), `deadline` until one that does not
   * answer counts as unhealthy (5 000).
   */
  health?: { interval?: number; deadline?: number }
  /**
   * `idle`: a load that lacks memory unloads the fewest, least recently used modules that nobody needs and that were not loaded by
   * name (or are marked `lifecycle.evictable`), in the same transaction. Default `never`.
   */
  eviction?: 'never' | 'idle'
}

export interface LoadOptions {
  /** Refuse when a requirement is not loaded, instead of loading it. Default false. */
  strict?: boolean
  /** End in `active`; false ends in `loaded`. Default true. */
  start?: boolean
  /** Undoes the load when aborted. */
  signal?: AbortSignal
}

/** What a load did. */
export interface LoadReport {
  readonly id: string
  /** Modules this load brought in, in order, the asked one last; empty when it was loaded already. */
  readonly loaded: readonly string[]
  /** The missing requirements among them. */
  readonly closure: readonly string[]
  readonly started: readonly string[]
}

export interface CanLoad {
  readonly ok: boolean
  /** `OK`, or why not and what to do. */
  readonly reason: string
  readonly code: ModuleErrorCode | undefined
  /** Ids in load order; empty when it is loaded already or cannot be. */
  readonly plan: readonly string[]
  /** Modules that offer the same and could be loaded. */
  readonly alternatives: readonly string[]
  /** Why not, in full: lift any one of these, and it could be. */
  readonly because: readonly Constraint[]
}

export interface RestoreOptions {
  /** Values of secret config keys, by module: for secrets that were not saved, or to replace them. */
  secrets?: Readonly<Record<string, ModuleConfig>>
  /** Modules whose files may differ from those that were saved. */
  accept?: readonly string[]
}

/** What `loadConfig` changed; `text` says it, one line each. */
export interface RestoreReport extends SetDiff {
  /** Modules whose version differs from the saved one. */
  readonly changed: readonly string[]
}

export interface SwapOptions {
  /** `make-first`: the old one serves until the new one does; `break-first`: it goes before. Default: the first if the machine can hold both. */
  order?: 'make-first' | 'break-first'
  /** Milliseconds to wait for calls under way on the old one. Default: its stop limit. */
  drainMs?: number
  /** Undoes the swap when aborted before the new one serves. */
  signal?: AbortSignal
}

/** What a swap did. */
export interface SwapReport {
  readonly from: string
  readonly to: string
  readonly order: 'make-first' | 'break-first'
  /** What was loaded for it, in order, the new provider last. */
  readonly loaded: readonly string[]
  /** False when calls on the old one were still under way when it went. */
  readonly drained: boolean
  /** Milliseconds. */
  readonly ms: number
  /** The old one failed to stop; it is in `error`, the new one serves. */
  readonly error: Error | undefined
}

export interface LoadAllReport {
  /** Modules that were loaded, in order. */
  readonly loaded: readonly string[]
  readonly started: readonly string[]
}
