import { join } from 'node:path'
import type { ModuleConfig } from '../config/config.js'
import { readSavedSet, savedSetOf, writeSavedSet } from '../config/saved-set.js'
import { SecretBox } from '../config/secret-box.js'
import type { Health, ModuleDefinition } from '../define.js'
import { type CommandContext, importCommand, type ModuleCommand } from '../discovery/entry.js'
import { isSeedModule, type SeedModule, type SeedModuleClass, seedDefinition, seedManifest } from '../discovery/seed-class.js'
import { ModuleError, messageOf } from '../errors.js'
import type { EventBus } from '../events/events.js'
import type { Hooks } from '../events/hooks.js'
import { developed, type ModuleWatch, watched, watchModules } from '../hot-reload/watch-modules.js'
import { InstallGate } from '../install/gate.js'
import type { ModuleInterfaces } from '../interfaces.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { serves, type Token } from '../lifecycle/services.js'
import { stopAll, takeDown } from '../lifecycle/transaction.js'
import type { ManifestInput } from '../manifest/manifest.js'
import { badManifest } from '../manifest/manifest-read.js'
import { canonical } from '../names.js'
import { planSwap } from '../resolver/swap.js'
import { detectHardware, type HardwareProfile } from '../resources/hardware.js'
import type { LedgerEntry } from '../resources/ledger.js'
import { type ResourceReport, resourceReport } from '../resources/resource-report.js'
import { Quarantine, type Quarantined } from '../supervision/quarantine.js'
import { activatedBy, EventActivation, providerFor } from './activation.js'
import { configure } from './configure.js'
import { boundTo, dependentsOf, notLoaded, requiredBy, throwFirst } from './dependents.js'
import { type ModuleGraph, moduleGraph, type Why, why, whyNot } from './introspection.js'
import { answerOf, configsOf, loadAll, planFor, refusalError } from './load-all.js'
import type {
  CanLoad,
  LoadAllReport,
  LoadOptions,
  LoadReport,
  ManagerOptions,
  RestoreOptions,
  RestoreReport,
  SwapOptions,
  SwapReport,
} from './manager-types.js'
import { SerialQueue } from './queue.js'
import { type ReloadReport, reload } from './reload.js'
import { restore } from './restore.js'
import { replace } from './swap.js'
import { type Timeline, timelineOf } from './timeline.js'
import { Upkeep } from './upkeep.js'
import { brokenInfo, infoOf, type ModuleFilter, type ModuleInfo, type ModuleView, matches, viewOf } from './views.js'
import { World } from './world.js'

/** Loads, starts, stops and unloads modules: the only door to them. Everything that changes the set is done one at a time. */
export class ModuleManager implements AsyncDisposable {
  readonly #world: World
  readonly #queue = new SerialQueue()
  readonly #watches: ModuleWatch[] = []
  /** Modules whose files may differ from what this process has imported of them. */
  readonly #reloaded = new Set<string>()
  readonly #upkeep: Upkeep
  readonly #eventActivation = new EventActivation()
  #closed = false

  private constructor(world: World, options: ManagerOptions) {
    this.#world = world
    this.#upkeep = new Upkeep(world, options, (id, start, awaited) => this.#restart(id, start, awaited))
  }

  /** Discovers modules (none of their code runs) and looks at the machine. */
  static async open(options: ManagerOptions = {}): Promise<ModuleManager> {
    const hardware = await detectHardware(options.hardware)
    const times = { warn: options.times?.warn ?? 10_000, grace: options.times?.grace ?? 2_000 }
    const quarantine = await Quarantine.open(options.stateFolder)
    const world = new World(hardware, quarantine, options.localOnly ?? true, times)
    world.eviction = options.eviction ?? 'never'
    for (const [capability, id] of Object.entries(options.prefer ?? {})) world.prefer.set(canonical(capability), canonical(id))
    if (options.stateFolder !== undefined) world.secretBox = new SecretBox(join(options.stateFolder, 'secrets.key'))
    world.shipped = options.shipped ?? []
    if (options.installed !== undefined) world.gate = await InstallGate.open(options.installed)
    const manager = new ModuleManager(world, options)
    await world.discover([...(options.modules ?? []), ...(world.gate?.folders ?? [])])
    return manager
  }

  get events(): EventBus {
    return this.#world.bus
  }

  get hooks(): Hooks {
    return this.#world.hooks
  }

  get hardwareProfile(): HardwareProfile {
    return this.#world.hardware.profile
  }

  /** Memory promised to modules, in bytes. */
  get ledger(): readonly LedgerEntry[] {
    return this.#world.ledger.list()
  }

  /** Who holds how much of which memory, and how much there is. */
  resources(): ResourceReport {
    return resourceReport(this.#world.ledger, this.#world.records.values())
  }

  /** Modules that crashed too often; loads of them are refused until `reset`. */
  get quarantined(): readonly Quarantined[] {
    return this.#world.quarantine.list()
  }

  /**
   * Adds a module at run time: `{ manifest, module }`, or a class or instance in the seed documents' form. Returns its id.
   * @throws ModuleError `BAD_MANIFEST`, `BAD_MODULE`, `DUPLICATE_ID`
   */
  register<Config, Api>(
    given: SeedModule | SeedModuleClass | { manifest: ManifestInput; module: ModuleDefinition<Config, Api> },
  ): string {
    const { reader } = this.#world
    if ('manifest' in given && 'module' in given) {
      const result = reader.normalise(given.manifest)
      if (!result.ok) throw badManifest(`The manifest of '${given.manifest.id}'`, result.problems)
      this.#world.add(result.manifest, given.module as ModuleDefinition<never>)
      return result.manifest.id
    }
    if (!isSeedModule(given)) throw new ModuleError('BAD_MODULE', 'Pass a class, an instance, or { manifest, module }.')
    const manifest = reader.require(seedManifest(given), 'The module to register')
    const capabilities = manifest.provides.map(({ capability }) => capability)
    this.#world.add(manifest, () => seedDefinition(given, capabilities, this.#world.lookup(manifest)) as ModuleDefinition<never>)
    return manifest.id
  }

  /**
   * Loads a module and what it requires, as one transaction: on failure nothing stays loaded that was not before.
   * A module that is loaded already stays as it is (it is started, unless `start: false`).
   * @throws ModuleError with the reason of `canLoad`, or what failed
   */
  load(id: string, config?: ModuleConfig, options: LoadOptions = {}): Promise<LoadReport> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      const { loaded, started } = await loadAll(this.#world, [{ record, config, start: options.start ?? true }], options)
      record.wanted = true
      const closure = loaded.filter((other) => other !== record.id)
      if (closure.length > 0) this.events.emit('module.closure', { goal: record.id, modules: closure })
      return { id: record.id, loaded, closure, started }
    })
  }

  /** Loads several modules and what they require, as one transaction. */
  loadAll(ids: readonly string[], options: LoadOptions = {}): Promise<LoadAllReport> {
    return this.#run(async () => {
      const records = ids.map((id) => this.#world.require(id))
      const goals = records.map((record) => ({ record, config: undefined, start: options.start ?? true }))
      const report = await loadAll(this.#world, goals, options)
      for (const record of records) record.wanted = true
      return report
    })
  }

  /** Loads and starts every module that is not disabled (of one kind, category or capability), as one transaction. */
  startAll(filter: ModuleFilter = {}): Promise<LoadAllReport> {
    const infos = this.listModules(filter).filter(({ broken, state }) => !broken && state !== 'disabled')
    return this.loadAll(infos.map(({ id }) => id))
  }

  /** As `load`, answering instead of throwing. */
  async tryLoad(id: string, config?: ModuleConfig, options: LoadOptions = {}): Promise<{ ok: boolean; reason: string }> {
    try {
      await this.load(id, config, options)
      return { ok: true, reason: 'OK' }
    } catch (error) {
      return { ok: false, reason: messageOf(error) }
    }
  }

  /** Whether a load would be admitted now, with the reason and the alternatives when not. Runs no module code. */
  async canLoad(id: string, config?: ModuleConfig, options: Pick<LoadOptions, 'strict'> = {}): Promise<CanLoad> {
    try {
      const record = this.#world.require(id)
      const asked = new Map([[record.id, this.#world.checkAsked(record, config)]])
      const result = planFor(this.#world, [record], asked, options.strict)
      return answerOf(result)
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error
      return {
        ok: false,
        reason: error.message,
        code: error.code,
        plan: [],
        alternatives: error.alternatives,
        because: error.because,
      }
    }
  }

  /**
   * Stops and unloads a module. One in `error` is reset.
   * @throws ModuleError `REQUIRED_BY` listing the dependents unless `cascade`, `NOT_LOADED`, `UNLOAD_FAILED`
   */
  unload(id: string, options: { cascade?: boolean } = {}): Promise<{ unloaded: readonly string[] }> {
    return this.#run(() => this.#unload(this.#world.require(id), options.cascade))
  }

  /**
   * Puts one provider in another's place, as one transaction: on failure the old one serves as before. Modules bound to the old
   * one are bound to the new one; their handles lead there. Calls under way are let finish, calls made meanwhile wait.
   * @throws ModuleError with the reason why `to` cannot take the place of `from`, or what failed
   */
  swap(from: string, to: string, config?: ModuleConfig, options: SwapOptions = {}): Promise<SwapReport> {
    return this.#run(async () => {
      const [old, next] = [this.#world.require(from), this.#world.require(to)]
      if (!old.up) throw notLoaded(old.id)
      const asked = this.#world.checkAsked(next, config)
      const given = new Map(asked === undefined ? [] : [[next.id, asked]])
      const planned = planSwap({ from: old.id, to: next.id }, this.#world.resolverState(given), boundTo(this.#world, old))
      if (!planned.ok) throw refusalError(planned)
      const work = { from: old, to: next, ...planned, configs: configsOf(this.#world, planned.steps, given) }
      const report = await replace(this.#world, work, options)
      this.#upkeep.release(old.id)
      this.#world.unlock(old.id)
      this.events.emit('module.swapped', { from: old.id, to: next.id, ms: report.ms })
      return report
    })
  }

  /** Whether a swap would be admitted now. Runs no module code. */
  async canSwap(from: string, to: string): Promise<CanLoad> {
    const [old, next] = [this.#world.require(from), this.#world.require(to)]
    if (!old.up) throw notLoaded(old.id)
    return answerOf(planSwap({ from: old.id, to: next.id }, this.#world.resolverState(new Map()), boundTo(this.#world, old)))
  }

  /**
   * Reads a module's manifest and code anew and puts them in the place of the running ones: the new code is evaluated before the
   * old one stops, and the old one comes back if the new one fails. Dependents stay; handles lead to the new code.
   */
  reload(id: string): Promise<ReloadReport> {
    return this.#run(async () => {
      const report = await reload(this.#world, this.#world.require(id))
      this.#reloaded.add(report.id)
      return report
    })
  }

  /**
   * Development: reloads modules when their files change (all that are not installed packages, or those named), until the watch
   * is closed or the manager shut down. One that has failed is loaded again.
   * Events: `module.reloaded`, `module.reload-failed`.
   * @throws ModuleError `WATCH_FAILED`, `NOT_REGISTERED`
   */
  async watch(ids?: string | readonly string[]): Promise<ModuleWatch> {
    const records =
      ids === undefined ? developed(this.#world.records.values()) : [ids].flat().map((id) => this.#world.require(id))
    const watch = await watchModules(records.flatMap(watched), (id) => this.#revive(id), this.events)
    this.#watches.push(watch)
    return watch
  }

  /** loaded → active, what it requires first. Does nothing when it is active. */
  start(id: string): Promise<void> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      if (!record.up) throw notLoaded(record.id)
      await loadAll(this.#world, [{ record, config: undefined, start: true }], {})
    })
  }

  /**
   * active → loaded. Does nothing when it is loaded.
   * @throws ModuleError `REQUIRED_BY` while active modules require it, unless `cascade`
   */
  stop(id: string, options: { cascade?: boolean } = {}): Promise<void> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      if (!record.up) throw notLoaded(record.id)
      const active = dependentsOf(this.#world, record).filter((other) => other.state === 'active')
      if (active.some((other) => other !== record) && !options.cascade) throw requiredBy('stop', record, active)
      throwFirst(await stopAll(this.#world.lifecycle, active), 'STOP_FAILED')
    })
  }

  /** Takes a module out of use: loads of it are refused until `enable`. A loaded one is unloaded first. */
  disable(id: string, options: { cascade?: boolean } = {}): Promise<void> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      this.#upkeep.release(record.id)
      if (record.up) await this.#unload(record, options.cascade)
      // It may have crashed while it was being unloaded.
      if (record.state === 'error') await this.#unload(record)
      if (record.state !== 'disabled') this.#world.lifecycle.transition(record, 'disabled')
    })
  }

  enable(id: string): Promise<void> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      if (record.state === 'disabled') this.#world.lifecycle.transition(record, 'unloaded')
    })
  }

  /**
   * error → unloaded, and out of quarantine. Does nothing else in other states.
   * @throws ModuleError `STUCK` while the failed code still runs, `QUARANTINE_FILE` when the quarantine cannot be written
   */
  reset(id: string): Promise<void> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      this.#upkeep.release(record.id)
      await this.#world.quarantine.delete(record.id)
      if (record.state === 'error') this.#world.lifecycle.reset(record)
    })
  }

  /**
   * Changes the config of a loaded module; keys left out keep their values.
   * @throws ModuleError `BAD_CONFIG`, `NOT_LOADED`, `CLOUD_REFUSED`, `CONFIG_NEEDS_RESTART` when the module does not take it while
   * loaded, `TIMEOUT` when it does not answer within its stop limit
   */
  configure(id: string, config: ModuleConfig): Promise<void> {
    return this.#run(() => configure(this.#world, this.#world.require(id), config))
  }

  /**
   * What the module's `load` returned, guarded: it throws `ServiceGone` once the module is unloaded.
   * @throws ModuleError `NOT_LOADED` unless it is loaded or active, `SERVICE_MISSING` when it returned nothing
   */
  getInterface<Id extends keyof ModuleInterfaces>(id: Id): ModuleInterfaces[Id]
  getInterface<T = unknown>(id: string): T
  getInterface(id: string): unknown {
    return this.#world.interfaceOf(id)
  }

  /**
   * The service of a capability among the loaded modules. The handle follows swaps and reloads of its provider.
   * @throws ModuleError `SERVICE_MISSING` naming the modules that would provide it
   */
  use<T>(token: Token<T>): T {
    for (const slot of this.#world.services(token.name)) if (serves(slot.token, token)) return slot.handle as T
    const known = this.#world.catalogue.providers(token.name).map(({ manifest }) => manifest.id)
    const fix = known.length === 0 ? 'No module provides it.' : `Load one that provides it: ${known.join(', ')}.`
    throw new ModuleError('SERVICE_MISSING', `No loaded module gives '${token.name}' ${token.version}. ${fix}`, {
      alternatives: known,
    })
  }

  /**
   * As `use`; when nobody gives the capability, the best module whose `activation` names it (`onCapability:<capability>`) is loaded
   * and started first.
   * @throws ModuleError `SERVICE_MISSING` when no module is to be activated for it, `NO_PROVIDER` when none of those can be loaded
   */
  acquire<T>(token: Token<T>): Promise<T> {
    const there = () => [...this.#world.services(token.name)].some((slot) => serves(slot.token, token))
    if (there()) return Promise.resolve().then(() => this.use(token))
    return this.#run(async () => {
      const record = there() ? undefined : providerFor(this.#world, token)
      if (record) await loadAll(this.#world, [{ record, config: undefined, start: true }], {})
      return this.use(token)
    })
  }

  /** Loads the modules with the activation `onStart`, as one transaction; from here on those with `onEvent` wait for their events. */
  async activate(): Promise<LoadAllReport> {
    this.#eventActivation.arm(this.#world, (id) => this.#activate([this.#world.require(id)]))
    return this.#activate(activatedBy(this.#world, ({ on }) => on === 'start'))
  }

  getModule(id: string): ModuleView {
    const record = this.#world.require(id)
    const { ledger, quarantine } = this.#world
    return viewOf(record, ledger.of(record.id), this.#upkeep.lastHealth(record.id), quarantine.get(record.id))
  }

  /** All modules, those with a broken manifest included, sorted by id. A filter keeps what has all that it names. */
  listModules(filter: ModuleFilter = {}): ModuleInfo[] {
    const { records, broken } = this.#world
    const all = [...[...records.values()].map(infoOf), ...[...broken.values()].map(brokenInfo)]
    return all.filter((info) => matches(info, filter)).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Ids of the loaded and active modules, in the order in which they were loaded. */
  listLoaded(): string[] {
    return [...this.#world.loaded.ids()]
  }

  /** Asks every loaded module (or one) how it is. One that has no `health` is healthy while it is loaded. */
  async health(id?: string): Promise<Record<string, Health>> {
    const records = id === undefined ? this.#up() : [this.#world.require(id)]
    const answers = records.map(async (record): Promise<[string, Health]> => {
      return [record.id, await this.#upkeep.health(record)]
    })
    return Object.fromEntries(await Promise.all(answers))
  }

  /** The code of a contributed command. @throws ModuleError `COMMAND_MISSING`, `ENTRY_MISSING` */
  async command(id: string, name: string): Promise<ModuleCommand> {
    const { manifest, folder } = this.#world.require(id)
    const command = manifest.contributes.commands.find((other) => other.name === name)
    if (command && folder !== undefined) {
      await this.#world.gate?.verifyCommand(manifest, folder)
      return importCommand(manifest, folder, command, this.#reloaded.has(manifest.id))
    }
    const known = manifest.contributes.commands.map((other) => other.name).join(', ') || 'none'
    throw new ModuleError('COMMAND_MISSING', `Module '${manifest.id}' has no command '${name}'; it has: ${known}.`, {
      module: manifest.id,
    })
  }

  /**
   * Runs a contributed command; the modules it asks for, and those with the activation `onCommand:<id>:<name>`, are loaded first.
   * Returns its answer.
   */
  async runCommand(
    id: string,
    name: string,
    given: Partial<Pick<CommandContext, 'options' | 'args' | 'signal'>> = {},
  ): Promise<unknown> {
    const command = await this.command(id, name)
    const owner = this.#world.require(id).id
    const waiting = activatedBy(this.#world, (when) => when.on === 'command' && when.module === owner && when.command === name)
    if (waiting.length > 0) await this.#activate(waiting)
    const { options } = this.#world.require(id).manifest.contributes.commands.find((other) => other.name === name)!
    const defaults = Object.fromEntries(
      options.filter((option) => 'default' in option).map((option) => [option.name, option.default]),
    )
    return command.execute({
      options: { ...defaults, ...given.options },
      args: given.args ?? [],
      signal: given.signal ?? new AbortController().signal,
      getInterface: async (wanted) => {
        if (!this.#world.require(wanted).up) await this.load(wanted)
        return this.getInterface(wanted)
      },
    })
  }

  graph(): ModuleGraph {
    return moduleGraph(this.#world)
  }

  /** Why a module is loaded, or what loading it would bring in. */
  why(id: string): Why {
    const record = this.#world.require(id)
    return why(this.#world, record, record.up ? undefined : planFor(this.#world, [record]))
  }

  /** Why a module is not loaded: what is in the way, and what would do instead. */
  whyNot(id: string): Why {
    const record = this.#world.require(id)
    return whyNot(this.#world, record, planFor(this.#world, [record]))
  }

  /** What a loaded module has registered, oldest first. */
  effects(id: string): readonly string[] {
    return this.#world.require(id).context?.effects ?? []
  }

  /** When each module was loaded and how long it took, in milliseconds. */
  timeline(): Timeline {
    return timelineOf(this.#world)
  }

  /**
   * Writes the loaded set: asked-for modules, versions and hashes of their files, configs, active flags, disabled modules. Atomic.
   * Secrets are encrypted with a key in the state folder, or left out where there is none.
   */
  async saveConfig(path: string): Promise<void> {
    await writeSavedSet(path, await savedSetOf(this.#world))
  }

  /**
   * Makes the loaded set the saved one, as one transaction; the seed documents' JSON is read too. What is not in it is unloaded.
   * @throws ModuleError `BAD_SAVED_SET`, `INTEGRITY`, `SECRET_UNREADABLE`, or what failed; then everything is as it was
   */
  async loadConfig(path: string, options: RestoreOptions = {}): Promise<RestoreReport> {
    const saved = await readSavedSet(path)
    return this.#run(async () => {
      const report = await restore(this.#world, saved, options)
      // What was waiting to be started again and is not in the set stays away.
      for (const record of this.#world.records.values()) if (!record.up) this.#upkeep.release(record.id)
      return report
    })
  }

  /** Unloads everything, dependents before what they need, and refuses further work. All modules are taken down whatever fails. */
  async shutdown(): Promise<void> {
    if (this.#closed) return
    // Nothing is begun by itself from here on.
    this.#upkeep.close()
    this.#eventActivation.close()
    await Promise.all(this.#watches.map((watch) => watch.close()))
    await this.#run(async () => {
      this.#closed = true
      const up = this.#up()
      this.events.emit('manager.shutdown', { modules: up.length })
      const errors = await takeDown(this.#world.lifecycle, up)
      await this.#world.quarantine.settled
      throwFirst(errors, 'UNLOAD_FAILED')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  async #revive(id: string): Promise<void> {
    const { state, config } = this.#world.require(id)
    await this.reload(id)
    if (state === 'error') await this.load(id, config)
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#closed) throw new ModuleError('MANAGER_CLOSED', 'The manager is shut down. Open a new one.')
      try {
        if (this.#world.falling.size > 0) await this.#world.settled()
        return await work()
      } finally {
        this.#upkeep.settle()
      }
    })
  }

  async #unload(record: ModuleRecord, cascade = false): Promise<{ unloaded: readonly string[] }> {
    this.#upkeep.release(record.id)
    if (record.state === 'error') {
      this.#world.lifecycle.reset(record)
      return { unloaded: [record.id] }
    }
    if (!record.up) throw notLoaded(record.id)
    const all = dependentsOf(this.#world, record)
    if (all.length > 1 && !cascade) throw requiredBy('unload', record, all)
    const errors = await takeDown(this.#world.lifecycle, all)
    for (const gone of all) {
      this.#upkeep.release(gone.id)
      this.#world.unlock(gone.id)
      gone.wanted = false
    }
    throwFirst(errors, 'UNLOAD_FAILED')
    return { unloaded: all.map((gone) => gone.id).reverse() }
  }

  /** Loads modules that nobody asked for by name. */
  #activate(records: readonly ModuleRecord[]): Promise<LoadAllReport> {
    const goals = records.map((record) => ({ record, config: undefined, start: true }))
    return this.#run(() => loadAll(this.#world, goals, {}))
  }

  #restart(id: string, start: boolean, awaited: () => boolean): Promise<boolean> {
    return this.#run(async () => {
      const record = this.#world.require(id)
      if (record.up || !awaited()) return false
      await loadAll(this.#world, [{ record, config: record.config, start }], {})
      return true
    })
  }

  #up(): ModuleRecord[] {
    return this.listLoaded().map((id) => this.#world.records.get(id)!)
  }
}
