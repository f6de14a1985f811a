import type { ModuleConfig } from '../config/config.js'
import type { ModuleDefinition } from '../define.js'
import { ModuleError } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import type { ModuleContext } from './context.js'
import type { ModuleLife } from './life.js'
import { ServiceSlot, serves, type Token } from './services.js'
import { isUp, type ModulePhase, type ModuleState } from './state.js'

/** A module's code, or what gives it: called at each load, so that one registered class makes a new instance each time. */
export type ModuleSource = ModuleDefinition<never> | (() => ModuleDefinition<never> | Promise<ModuleDefinition<never>>)

const noRecords: readonly ModuleRecord[] = []
const noSlots: readonly ServiceSlot[] = []

/** All a manager knows of one module. The state belongs to the manager: two managers share nothing. */
export class ModuleRecord {
  state: ModuleState = 'unloaded'
  phase: ModulePhase | undefined
  /** Why it is in `error`. */
  error: ModuleError | undefined
  /** Its start failed; it is undone in its turn, after the modules that need it, and is in `error` then. */
  failed: ModuleError | undefined
  /** It has failed while it was up and is being undone; settles when that is done. */
  crashing: Promise<void> | undefined
  /** Asked for by name, not only pulled in by another. */
  wanted = false
  neededBy: string | undefined
  /** In-process code that ignored its abort signal and may still be running. */
  stuck = false
  config: ModuleConfig | undefined
  life: ModuleLife | undefined
  context: ModuleContext<never> | undefined
  definition: ModuleDefinition<never> | undefined
  /** What its `load` returned. */
  api: ServiceSlot | undefined
  /** What it gave through `ctx.provide`. */
  services: readonly ServiceSlot[] = noSlots
  /** Slots of an earlier life that failed, with handles in others' hands; they lead here when it is back. */
  orphans: readonly ServiceSlot[] = noSlots
  /** State handed over by the life before (hot reload). */
  handover: { readonly state: unknown } | undefined
  /** Modules bound to its requirements, one per requirement. Who is bound to it stands with those alone (`dependents.ts`). */
  providers: readonly ModuleRecord[] = noRecords
  /** Loaded modules it came after without needing them. */
  softProviders: readonly ModuleRecord[] = noRecords
  // Fields that begin as whole numbers and become fractions make a thousand records change their shape.
  /** `performance.now()` at the begin of the last load. */
  begun: number | undefined
  /** Durations in milliseconds. */
  loadMs: number | undefined
  startMs: number | undefined

  readonly id: string
  /** In the graph that is being built. */
  place = 0

  constructor(
    readonly manifest: Manifest,
    readonly source: ModuleSource,
    /** Where it was found; undefined for modules registered at run time. */
    readonly folder: string | undefined,
  ) {
    this.id = manifest.id
  }

  get up(): boolean {
    return isUp(this.state)
  }

  /** What `load` returned. */
  get implementation(): unknown {
    return this.api?.own
  }

  /** @throws ModuleError `SERVICE_TAKEN` when it has given one for this token already */
  provide(given: Token<unknown>, implementation: unknown): ServiceSlot {
    if (this.service(given.name)) {
      const message = `Module '${this.id}' has given '${given.name}' already. Provide each token once.`
      throw new ModuleError('SERVICE_TAKEN', message, { module: this.id })
    }
    const slot = new ServiceSlot(this.id, given, implementation, false)
    this.services = this.services.length === 0 ? [slot] : this.services.concat(slot)
    return slot
  }

  /** What a module bound to its requirements gives under this name. */
  boundService(name: string): ServiceSlot | undefined {
    const { providers } = this
    for (let i = 0; i < providers.length; i++) {
      const { services } = providers[i]!
      for (let k = 0; k < services.length; k++) if (services[k]!.token.name === name) return services[k]
    }
    return undefined
  }

  service(name: string): ServiceSlot | undefined {
    const { services } = this
    for (let i = 0; i < services.length; i++) if (services[i]!.token.name === name) return services[i]
    return undefined
  }

  /** Every slot of this life. */
  get slots(): readonly ServiceSlot[] {
    return this.api ? [...this.services, this.api] : this.services
  }

  /** Keeps the slots whose handles others hold, until a new life or another provider takes them over. */
  orphan(): void {
    const held = this.slots.filter((slot) => slot.held)
    if (held.length > 0) this.orphans = [...this.orphans, ...held]
    this.services = noSlots
    this.api = undefined
  }

  /** Leads handles of an earlier life, or of the module that this one replaces, to what this one gives now. */
  adopt(orphans: readonly ServiceSlot[]): void {
    for (const orphan of orphans) {
      // A module may give a service under its own id beside its interface.
      const own = orphan.isInterface && orphan.module === this.id
      const heir = own ? this.api : this.service(orphan.token.name)
      if (heir && serves(heir.token, orphan.token)) orphan.follow(heir)
    }
  }

  /** Handles of its own earlier life lead here again. */
  adoptOrphans(): void {
    if (this.orphans.length === 0) return
    this.adopt(this.orphans)
    this.orphans = noSlots
  }

  /** Whatever `old` met is met by `heir` from here on. */
  rebind(old: ModuleRecord, heir: ModuleRecord): void {
    this.providers = this.providers.map((provider) => (provider === old ? heir : provider))
  }

  /** One requirement is met by `heir` from here on. */
  rebindOne(requirement: number, heir: ModuleRecord): void {
    this.providers = this.providers.map((provider, i) => (i === requirement ? heir : provider))
  }
}
