import { isDeepStrictEqual } from 'node:util'
import { ConfigChecker, type ModuleConfig } from '../config/config.js'
import type { SecretBox } from '../config/secret-box.js'
import { type Discovered, discover } from '../discovery/discovery.js'
import type { InterfaceLookup } from '../discovery/seed-class.js'
import { ModuleError } from '../errors.js'
import { EventBus } from '../events/events.js'
import { Hooks } from '../events/hooks.js'
import type { InstallGate } from '../install/gate.js'
import type { ModuleLife } from '../lifecycle/life.js'
import { Lifecycle, type LifecycleTimes } from '../lifecycle/lifecycle.js'
import { ModuleRecord, type ModuleSource } from '../lifecycle/record.js'
import type { ServiceSlot } from '../lifecycle/services.js'
import type { ModuleState } from '../lifecycle/state.js'
import type { Manifest } from '../manifest/manifest.js'
import { ManifestReader } from '../manifest/manifest-read.js'
import { canonical, didYouMean } from '../names.js'
import { Catalogue, LoadedSet } from '../resolver/catalogue.js'
import type { PlanStep, ResolverState } from '../resolver/resolver.js'
import type { Hardware } from '../resources/hardware.js'
import { ResourceLedger } from '../resources/ledger.js'
import { Runtimes } from '../runtimes/runtimes.js'
import type { Quarantine } from '../supervision/quarantine.js'
import type { Supervisor } from '../supervision/supervisor.js'
import { directDependents, notLoaded } from './dependents.js'
import { LastUse } from './evict.js'

// Everything one manager holds: the modules, what is loaded, who holds what. No decisions here.

export class World {
  readonly reader = new ManifestReader()
  readonly configs = new ConfigChecker()
  readonly bus = new EventBus()
  readonly hooks = new Hooks()
  readonly runtimes = new Runtimes()
  readonly catalogue = new Catalogue()
  readonly loaded = new LoadedSet()
  readonly disabled = new Set<string>()
  /** Providers to take first, by capability. */
  readonly prefer = new Map<string, string>()
  /** What the restored set was resolved to. */
  lock: { readonly bindings: Map<string, string>; readonly versions: Map<string, string> } | undefined
  readonly unavailable = new Map<string, string>()
  readonly records = new Map<string, ModuleRecord>()
  /** Modules that failed or were reset while others were bound to them. */
  readonly bereft = new Set<ModuleRecord>()
  /** Modules whose manifest cannot be used. */
  readonly broken = new Map<string, Discovered>()
  readonly hardware: Hardware
  readonly ledger: ResourceLedger
  readonly lifecycle: Lifecycle
  readonly localOnly: boolean
  /** Where secrets are sealed when the set is saved; undefined without a state folder. */
  secretBox: SecretBox | undefined
  /** Folders of modules whose files a saved set is not held to. */
  shipped: readonly string[] = []
  /** What holds installed modules to what was agreed to; undefined where none are looked for. */
  gate: InstallGate | undefined
  /** Whether a load has been carried out. */
  ready = false
  readonly quarantine: Quarantine
  readonly lastUse = new LastUse()
  /** Services that pass on to another provider just now: whoever asks for them waits with the others. */
  passing: readonly ServiceSlot[] = []
  /** Modules that failed while they were up, until they are undone. */
  readonly falling = new Set<ModuleRecord>()
  /** Told of modules that end by themselves. */
  supervisor: Supervisor | undefined
  /** Whether idle modules may go to make room. */
  eviction: 'never' | 'idle' = 'never'

  constructor(hardware: Hardware, quarantine: Quarantine, localOnly: boolean, times: LifecycleTimes) {
    this.quarantine = quarantine
    this.hardware = hardware
    this.localOnly = localOnly
    this.ledger = new ResourceLedger(hardware)
    this.lifecycle = new Lifecycle(this, this.ledger, times)
  }

  async discover(folders: readonly string[]): Promise<void> {
    for (const entry of await discover(folders, this.reader)) {
      const { result, folder } = entry
      if (!result.ok) {
        this.broken.set(this.broken.has(entry.id) ? folder : entry.id, entry)
        continue
      }
      const manifest = this.gate?.adapt(result.manifest, folder) ?? result.manifest
      this.add(manifest, this.sourceOf(manifest, folder), folder)
    }
  }

  /** Where the code of a module on disk comes from. */
  sourceOf(manifest: Manifest, folder: string): ModuleSource {
    const run = () => this.runtimes.definitionOf(manifest, folder, this.lookup(manifest))
    const { gate } = this
    return gate?.holds(folder) ? () => gate.verify(manifest, folder).then(run) : run
  }

  /** What a seed-style module may ask of its `manager`: the modules its manifest names, nothing else. */
  lookup(owner: Manifest): InterfaceLookup {
    return (wanted) => {
      const id = canonical(wanted)
      const named = [...owner.requires, ...owner.optional].some(({ capability }) => capability === id)
      if (named) return this.interfaceOf(id)
      const message = `Module '${owner.id}' does not require '${id}'. Add it to 'requires' in its manifest.`
      throw new ModuleError('SERVICE_UNDECLARED', message, { module: owner.id })
    }
  }

  /** @throws ModuleError `NOT_LOADED`, `SERVICE_MISSING` when its load returned nothing */
  interfaceOf(name: string): unknown {
    const record = this.require(name)
    const passing = this.passing.find((slot) => slot.isInterface && slot.module === record.id)
    if (passing) return passing.handle
    if (!record.up) throw notLoaded(record.id)
    if (record.api) return record.api.handle
    const message = `Module '${record.id}' has no interface: its load returned nothing. Take what it provides through another module.`
    throw new ModuleError('SERVICE_MISSING', message, { module: record.id })
  }

  /** @throws ModuleError `DUPLICATE_ID` */
  add(manifest: Manifest, source: ModuleSource, folder?: string): void {
    const { id } = manifest
    const other = this.records.get(id)
    if (other || this.broken.has(id)) {
      const where = other?.folder ?? this.broken.get(id)?.folder ?? 'an earlier register()'
      throw new ModuleError('DUPLICATE_ID', `Module '${id}' is registered already, from ${where}. Give the new one another id.`, {
        module: id,
      })
    }
    if (folder === undefined && manifest.runtime !== 'inproc') {
      const fix = "Put it into a folder with a module.yaml, or leave 'runtime' out."
      throw new ModuleError('RUNTIME_UNSUPPORTED', `Module '${id}' is registered as code: it runs in this process. ${fix}`, {
        module: id,
      })
    }
    this.records.set(id, new ModuleRecord(manifest, source, folder))
    this.catalogue.add(manifest)
    this.bus.emit('module.registered', { id })
  }

  /** Puts a record in the place of the one with the same id, in the index too. */
  replace(next: ModuleRecord): void {
    const old = this.records.get(next.id)
    if (old) this.catalogue.delete(old.manifest)
    this.records.set(next.id, next)
    this.catalogue.add(next.manifest)
  }

  *services(capability: string): Iterable<ServiceSlot> {
    for (const slot of this.passing) if (!slot.isInterface && slot.token.name === capability) yield slot
    for (const { manifest } of this.catalogue.providers(capability)) {
      const slot = this.loaded.has(manifest.id) ? this.records.get(manifest.id)?.service(capability) : undefined
      if (slot) yield slot
    }
  }

  deviceOf(module: string): string | undefined {
    return this.ledger.deviceOf(module)
  }

  crashed(record: ModuleRecord, clean: boolean): void {
    this.falling.add(record)
    this.supervisor?.crashed(record, clean)
  }

  /** Waits until what has failed is undone: before that it looks as if it were up. */
  async settled(): Promise<void> {
    for (const record of this.falling) await record.crashing
    this.falling.clear()
  }

  crash(life: ModuleLife, cause: unknown): void {
    this.lifecycle.crash(life, cause)
  }

  /** The record of an id in any spelling. @throws ModuleError `NOT_REGISTERED`, or what is wrong with its manifest */
  require(name: string): ModuleRecord {
    const id = canonical(name)
    const record = this.records.get(id)
    if (record) return record
    const broken = this.broken.get(id)
    if (broken && !broken.result.ok) {
      const { error } = broken.result
      const code = error.code === 'BAD_MANIFEST' ? 'BROKEN_MANIFEST' : error.code
      const { file, line } = error
      throw new ModuleError(code, `Module '${id}' cannot be used. ${error.message}`, { module: id, file, line, cause: error })
    }
    const hint = didYouMean(id, this.records.keys())
    const fix = hint === '' ? "Run 'enigma modules ls' to see what there is." : ''
    throw new ModuleError('NOT_REGISTERED', `Module '${id}' not registered${hint}${hint === '' ? `. ${fix}` : ''}`, {
      module: id,
    })
  }

  /** What the resolver decides by. `configs` are those asked for. */
  resolverState(configs: ReadonlyMap<string, ModuleConfig>): ResolverState {
    const { catalogue, loaded, disabled, localOnly, prefer, unavailable, quarantine, ledger } = this
    const held = (id: string) => ledger.heldBy(id)
    const { lock } = this
    const state = { catalogue, loaded, disabled, localOnly, prefer, unavailable, quarantine, configs, held }
    return { ...state, capacity: ledger.capacity, ...(lock && { lock }) }
  }

  /** A module was taken out, or another put in its place: what the restored set said of it counts no more. */
  unlock(id: string): void {
    if (this.lock === undefined) return
    this.lock.versions.delete(id)
    for (const [capability, module] of this.lock.bindings) if (module === id) this.lock.bindings.delete(capability)
  }

  /** What the resolver decides by once some loaded modules are gone. */
  stateWithout(gone: readonly ModuleRecord[], configs: ReadonlyMap<string, ModuleConfig>): ResolverState {
    const state = this.resolverState(configs)
    if (gone.length === 0) return state
    const ids = new Set(gone.map(({ id }) => id))
    const loaded = new LoadedSet()
    for (const id of this.loaded.ids()) if (!ids.has(id)) loaded.add(this.records.get(id)!.manifest)
    let { ram, vram } = state.capacity
    for (const id of ids) {
      const held = this.ledger.of(id)
      ram += held.ram
      vram += held.vram
    }
    return { ...state, loaded, capacity: { ...state.capacity, ram, vram } }
  }

  /** A failed module is tried again: loading it is the retry. */
  resetFailed(steps: readonly PlanStep[]): void {
    for (let i = 0; i < steps.length; i++) {
      const record = this.records.get(steps[i]!.manifest.id)!
      if (record.state === 'error') this.lifecycle.reset(record)
    }
  }

  /**
   * The checked config, or undefined when none was given. For a loaded module it must equal the one it has.
   * @throws ModuleError `BAD_CONFIG`, `ALREADY_LOADED`
   */
  checkAsked(record: ModuleRecord, asked: ModuleConfig | undefined): ModuleConfig | undefined {
    if (asked === undefined) return undefined
    const config = this.configs.check(record.manifest, asked)
    if (!record.up || isDeepStrictEqual(config, record.config)) return config
    const different = Object.keys(config).filter((key) => !isDeepStrictEqual(config[key], record.config?.[key]))
    const message =
      `Module '${record.id}' is already loaded with a different config (${different.join(', ')}). ` +
      `Unload it first with unload('${record.id}'), or change it in place with configure('${record.id}', { … }).`
    throw new ModuleError('ALREADY_LOADED', message, { module: record.id })
  }

  /** What is loaded, disabled, not to be had follows the states. */
  changed(record: ModuleRecord): void {
    const { id, state } = record
    // Active is loaded too, and what is loading was not.
    if (state === 'loaded') this.loaded.add(record.manifest)
    else if (state !== 'active' && state !== 'loading') this.#gone(record, state)
    if (this.disabled.size > 0 && state !== 'disabled') this.disabled.delete(id)
    if (record.stuck)
      this.unavailable.set(id, `Module '${id}' is stuck: it ignored its abort signal and still runs. Restart the process.`)
    else if (this.unavailable.size > 0) this.unavailable.delete(id)
  }

  #gone(record: ModuleRecord, state: ModuleState): void {
    this.loaded.delete(record.id)
    if (state === 'disabled') this.disabled.add(record.id)
    if (state !== 'error') return
    if (directDependents(this, record).length > 0) this.bereft.add(record)
    this.supervisor?.fallen(record)
  }
}
