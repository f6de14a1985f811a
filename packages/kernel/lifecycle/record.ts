import type { ModuleConfig } from '../config/config.js'
import type { ModuleDefinition } from '../define.js'
import type { ModuleError } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import type { ModuleContext, ModuleLife } from './context.js'
import type { ServiceSlot } from './services.js'
import { isUp, type ModulePhase, type ModuleState } from './state.js'

/** Gives a module's code; called at each load, so that one registered class makes a new instance each time. */
export type ModuleSource = () => ModuleDefinition<never> | Promise<ModuleDefinition<never>>

/** All a manager knows of one module. The state belongs to the manager: two managers share nothing. */
export class ModuleRecord {
  state: ModuleState = 'unloaded'
  phase: ModulePhase | undefined
  /** Why it is in `error`. */
  error: ModuleError | undefined
  /** Its start failed; it is undone in its turn, after the modules that need it, and is in `error` then. */
  failed: ModuleError | undefined
  /** Asked for by name, not only pulled in by another. */
  wanted = false
  neededBy: string | undefined
  /** In-process code that ignored its abort signal and may still be running. */
  stuck = false
  config: ModuleConfig | undefined
  life: ModuleLife | undefined
  context: ModuleContext<never> | undefined
  definition: ModuleDefinition<never> | undefined
  api: ServiceSlot | undefined
  /** Modules bound to its requirements. */
  providers: readonly ModuleRecord[] = noRecords
  /** Loaded modules it came after without needing them. */
  softProviders: readonly ModuleRecord[] = noRecords
  #dependents: Set<ModuleRecord> | undefined
  /** `performance.now()` at the begin of the load, and durations in milliseconds. */
  begun = 0
  loadMs = 0
  startMs = 0

  constructor(
    readonly manifest: Manifest,
    readonly source: ModuleSource,
    /** Where it was found; undefined for modules registered at run time. */
    readonly folder: string | undefined,
  ) {}

  get id(): string {
    return this.manifest.id
  }

  /** Loaded modules that are bound to this one. */
  get dependents(): Iterable<ModuleRecord> {
    return this.#dependents ?? noRecords
  }

  bind(dependent: ModuleRecord): void {
    this.#dependents ??= new Set()
    this.#dependents.add(dependent)
  }

  unbind(dependent: ModuleRecord): void {
    this.#dependents?.delete(dependent)
  }

  /** What `load` returned. */
  get implementation(): unknown {
    return this.api?.implementation
  }

  get up(): boolean {
    return isUp(this.state)
  }
}

const noRecords: readonly ModuleRecord[] = []
