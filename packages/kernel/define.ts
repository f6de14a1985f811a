import type { ModuleConfig } from './config/config.js'
import type { ModuleContext } from './lifecycle/context.js'
import type { Amounts, Claim } from './resources/ledger.js'

/** How a module is. */
export interface Health {
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'unknown'
  readonly message?: string
}

/**
 * The code of a module. Everything is optional; what `load` returns is the answer of `getInterface`, and the `api` that the
 * other functions are given.
 * Effects registered through `ctx` during `start` are undone at `stop`, all others at `unload`.
 */
export interface ModuleDefinition<Config = ModuleConfig, Api = unknown> {
  load?(ctx: ModuleContext<Config>): Api | Promise<Api>
  start?(ctx: ModuleContext<Config>, api: Api): unknown
  stop?(ctx: ModuleContext<Config>, api: Api): unknown
  unload?(ctx: ModuleContext<Config>, api: Api): unknown
  health?(ctx: ModuleContext<Config>, api: Api): Health | Promise<Health>
  /** Bytes the module will hold with this config, and the device it takes them on; asked before `load`, replaces the manifest's figures. */
  estimate?(config: Config): Partial<Claim> | Promise<Partial<Claim>>
  /** Bytes the module holds now. */
  usage?(ctx: ModuleContext<Config>, api: Api): Partial<Amounts>
  /** State for the code that replaces this one at a reload, asked before `stop`. */
  snapshot?(ctx: ModuleContext<Config>, api: Api): unknown
  /** The state of the code that this one replaces, after `load` and before `start`. */
  restore?(ctx: ModuleContext<Config>, state: unknown, api: Api): unknown
  /**
   * Ends by force what still runs: called when an operation was given up (time limit and grace period) and once more at the end
   * of every life. Runtimes that work outside this thread have it; a module without it is `stuck` while its code runs on.
   */
  kill?(): void
  /** A new config while loaded: taken as it is (`applied`), or only when it is loaded anew (`restart`). */
  onConfig?(
    next: Config,
    previous: Config,
    ctx: ModuleContext<Config>,
    api: Api,
  ): 'applied' | 'restart' | Promise<'applied' | 'restart'>
}

/** Types a module's code; the default export of a module's entry file. */
export function defineModule<Config = ModuleConfig, Api = unknown>(
  definition: ModuleDefinition<Config, Api>,
): ModuleDefinition<Config, Api> {
  return definition
}
