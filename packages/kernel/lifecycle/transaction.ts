import type { ModuleConfig } from '../config/config.js'
import { ModuleError, messageOf } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { requiredVram } from '../resolver/admission.js'
import { softNeeds } from '../resolver/order.js'
import type { PlanStep, ResolverState } from '../resolver/resolver.js'
import type { Claim, ResourceLedger } from '../resources/ledger.js'
import { drive, type Steps } from './drive.js'
import { Graph, runInOrder, standsInOrder } from './graph-run.js'
import type { Lifecycle } from './lifecycle.js'
import type { ModuleRecord } from './record.js'

// A plan carried out as one: take down what has to go, reserve, load along the graph, start. When anything fails, what this
// transaction did is undone in reverse, what it took down is brought back, and the other modules are as they were.

export interface TransactionWorld {
  readonly records: ReadonlyMap<string, ModuleRecord>
  readonly lifecycle: Lifecycle
  readonly ledger: ResourceLedger
  readonly catalogue: ResolverState['catalogue']
}

export interface TransactionWork {
  readonly steps: readonly PlanStep[]
  /** Checked configs of the steps; those left out have none. */
  readonly configs: ReadonlyMap<string, ModuleConfig>
  /** Steps and modules loaded before that shall be active at the end, providers first. */
  readonly start: readonly ModuleRecord[]
  /** Modules that go first, dependents before what they need; on failure they come back as they were. */
  readonly drop?: readonly ModuleRecord[]
  /** Modules that shall be loaded and no longer active at the end. */
  readonly stop?: readonly ModuleRecord[]
  /** Asked when all of it stands; an error undoes it. */
  readonly verify?: () => void
  readonly signal?: AbortSignal | undefined
}

/** @throws ModuleError the first failure, after everything is undone */
export async function commit(world: TransactionWorld, work: TransactionWork): Promise<void> {
  const dropped = (work.drop ?? []).map((record) => new Dropped(record, world.ledger))
  if (dropped.length > 0) {
    const errors = await takeDown(world.lifecycle, work.drop!)
    if (errors.length > 0) throw await bringBack(world, dropped, errors[0])
  }
  const mine = work.steps.map((step) => world.records.get(step.manifest.id)!)
  const started: ModuleRecord[] = []
  let failure: unknown
  try {
    reserve(world, work.steps)
    failure = await carryOut(world, work, mine, started)
    if (failure === undefined) work.verify?.()
    if (failure === undefined && work.stop) failure = (await stopAll(world.lifecycle, work.stop))[0]
  } catch (error) {
    failure = error
  }
  if (failure === undefined) {
    for (let i = 0; i < mine.length; i++) mine[i]!.adoptOrphans()
    return
  }
  await undo(world, mine, started)
  await startAgain(world.lifecycle, work.stop ?? [])
  throw await bringBack(world, dropped, failure)
}

async function carryOut(
  world: TransactionWorld,
  { steps, configs, start, signal }: TransactionWork,
  mine: readonly ModuleRecord[],
  started: ModuleRecord[],
): Promise<unknown> {
  const { lifecycle } = world
  const cancel = (cause: unknown) => {
    // A module of the earlier set that is being started is left to end that; it is stopped afterwards.
    for (const record of mine) {
      if (record.state === 'loading' || record.phase === 'starting') record.life?.end(cancelled(record.id, cause))
    }
  }
  const onAbort = () => cancel(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for (let i = 0; i < mine.length; i++) link(mine[i]!, steps[i]!, world)
    // The steps of a plan stand in the order of their work.
    const loading = runInOrder(
      mine,
      comesAfter,
      (record) => {
        if (signal?.aborted) throw cancelled(record.id)
        return lifecycle.load(record, configs.get(record.id) ?? noConfig)
      },
      { onFirstError: cancel },
    )
    const loadErrors = loading instanceof Promise ? await loading : loading
    if (loadErrors.length > 0 || start.length === 0) return loadErrors[0]
    const inLine = begins(start, mine)
    const own = new Set(inLine ? none : mine)
    const begin = (record: ModuleRecord) => {
      if (signal?.aborted) throw cancelled(record.id)
      started.push(record)
      return lifecycle.start(record, inLine || own.has(record))
    }
    const errors =
      inLine || standsInOrder(start, comesAfter)
        ? await runInOrder(start, comesAfter, begin, { onFirstError: cancel })
        : await new Graph(start, comesAfter).run(begin, { onFirstError: cancel })
    return errors[0]
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Whether one list is the begin of another. */
function begins(list: readonly ModuleRecord[], other: readonly ModuleRecord[]): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] !== other[i]) return false
  return true
}

const noConfig: ModuleConfig = Object.freeze({})

/** The modules that a module comes after. */
function comesAfter({ providers, softProviders }: ModuleRecord): readonly ModuleRecord[] {
  return softProviders.length === 0 ? providers : [...providers, ...softProviders]
}

/** Unloads records and all they registered, those that need others first. Errors are collected, the rest goes on. */
export function takeDown(lifecycle: Lifecycle, records: readonly ModuleRecord[]): Promise<unknown[]> {
  return inReverse(records, (record) => takeDownOne(lifecycle, record))
}

/** active → loaded for each, those that need others first. */
export function stopAll(lifecycle: Lifecycle, records: readonly ModuleRecord[]): Promise<unknown[]> {
  return inReverse(records, (record) => lifecycle.stop(record))
}

/** Reverse of the load order: a record's turn comes after everything that is bound to it or came after it. */
async function inReverse(records: readonly ModuleRecord[], run: (record: ModuleRecord) => unknown): Promise<unknown[]> {
  // The order in which modules were loaded nearly always is one in which they can be taken down, backwards.
  if (!standsInOrder(records, comesAfter)) return new Graph(records, comesAfter, true).run(run, { keepGoing: true })
  return runInOrder(records.toReversed(), comesAfter, run, { keepGoing: true, reversed: true })
}

function takeDownOne(lifecycle: Lifecycle, record: ModuleRecord): void | Promise<void> {
  let pending: unknown = record.crashing
  try {
    if (pending === undefined && record.state === 'active') pending = lifecycle.stop(record)
    if (pending === undefined && record.state === 'loaded') pending = lifecycle.unload(record)
  } catch (error) {
    unlink(record)
    throw error
  }
  if (pending !== undefined) return drive(takeDownFrom(lifecycle, record, pending))
  gone(record)
}

function* takeDownFrom(lifecycle: Lifecycle, record: ModuleRecord, pending: unknown): Steps<void> {
  try {
    yield pending
    if (record.state === 'active') yield lifecycle.stop(record)
    if (record.state === 'loaded') yield lifecycle.unload(record)
  } catch (error) {
    unlink(record)
    throw error
  }
  gone(record)
}

function gone(record: ModuleRecord): void {
  // Unloaded is gone for good: only handles of a module that failed come back with it.
  if (record.orphans.length > 0) record.orphans = []
  unlink(record)
}

async function undo(world: TransactionWorld, mine: readonly ModuleRecord[], started: readonly ModuleRecord[]): Promise<void> {
  await takeDown(world.lifecycle, mine)
  const own = new Set(mine)
  for (const record of [...started].reverse()) {
    // A module of the earlier set goes back from active to loaded; a failure there leaves it in error, with its reason.
    if (own.has(record) || record.state !== 'active') continue
    try {
      await world.lifecycle.stop(record)
    } catch {
      // It says so itself.
    }
  }
  for (const record of mine) world.ledger.release(record.id)
}

/** Those that were stopped are active again; one that fails is in error, and says so itself. */
async function startAgain(lifecycle: Lifecycle, stopped: readonly ModuleRecord[]): Promise<void> {
  const records = stopped.filter(({ state }) => state === 'loaded')
  await new Graph(records, comesAfter).run((record) => lifecycle.start(record, false), { keepGoing: true })
}

/** How a module was before it was taken down. */
class Dropped {
  readonly config
  readonly providers
  readonly softProviders
  readonly active
  readonly held
  readonly slots

  constructor(
    readonly record: ModuleRecord,
    ledger: ResourceLedger,
  ) {
    this.config = record.config
    this.providers = record.providers
    this.softProviders = record.softProviders
    this.active = record.state === 'active'
    this.held = ledger.of(record.id)
    this.slots = record.slots
  }
}

/** Loads what was taken down again, and gives the error to throw: the cause, and what could not be brought back. */
async function bringBack({ lifecycle, ledger }: TransactionWorld, dropped: readonly Dropped[], cause: unknown): Promise<unknown> {
  if (dropped.length === 0) return cause
  const byRecord = new Map(dropped.map((entry) => [entry.record, entry]))
  const gone = dropped.map(({ record }) => record).filter((record) => !record.up && !record.stuck)
  for (const record of gone) {
    // One that failed to stop is tried again: the others count on it.
    if (record.state === 'error') lifecycle.reset(record)
    const { providers, softProviders, held } = byRecord.get(record)!
    Object.assign(record, { providers, softProviders })
    ledger.giveBack(record.id, held)
  }
  const errors = await new Graph(gone, comesAfter).run(
    (record) => {
      const entry = byRecord.get(record)!
      return drive(
        (function* (): Steps<void> {
          yield lifecycle.load(record, entry.config ?? {})
          if (entry.active) yield lifecycle.start(record, false)
          record.adopt(entry.slots)
        })(),
      )
    },
    { keepGoing: true },
  )
  if (errors.length === 0) return cause
  // Handles of what could not be brought back work again once it is loaded after all.
  for (const { record, slots } of dropped) {
    if (!record.up) record.orphans = [...record.orphans, ...slots.filter((slot) => slot.held)]
  }
  const message = `${messageOf(cause)} What was taken down for it could not be brought back: ${errors.map(messageOf).join('; ')}`
  return new ModuleError(cause instanceof ModuleError ? cause.code : 'LOAD_FAILED', message, {
    module: cause instanceof ModuleError ? cause.module : undefined,
    cause: new AggregateError([cause, ...errors]),
  })
}

function reserve({ ledger }: TransactionWorld, steps: readonly PlanStep[]): void {
  const asking = steps.filter(({ manifest: { resources } }) => resources.ram > 0 || resources.vram > 0)
  const reserved: string[] = []
  try {
    // What is bound to one device first, then the largest: those that take any device fit into what is left.
    for (const { manifest } of [...asking].sort(byRigour)) {
      ledger.reserve(manifest.id, claimOf(manifest))
      reserved.push(manifest.id)
    }
  } catch (error) {
    for (const id of reserved) ledger.release(id)
    throw error
  }
  for (const { manifest } of asking) preferGpu(ledger, manifest)
}

/** What a module cannot do without. */
function claimOf(manifest: Manifest): Claim {
  const { ram, device } = manifest.resources
  return { ram, vram: requiredVram(manifest), device }
}

function byRigour({ manifest: a }: PlanStep, { manifest: b }: PlanStep): number {
  const loose = ({ resources }: Manifest) => Number(resources.device === 'auto')
  return loose(a) - loose(b) || requiredVram(b) - requiredVram(a)
}

/** Where a GPU is only preferred, its memory is reserved if there is enough of it once everybody has what they need. */
function preferGpu(ledger: ResourceLedger, manifest: Manifest): void {
  const { gpu, vram, device } = manifest.resources
  if (gpu !== 'preferred' || vram === 0) return
  try {
    ledger.reserve(manifest.id, { ...claimOf(manifest), vram })
  } catch (error) {
    const lacks = error instanceof ModuleError && ['NO_VRAM', 'NO_RAM', 'NO_GPU'].includes(error.code)
    // A device that it names and that is not there is a mistake in its manifest.
    if (!lacks || (error.code === 'NO_GPU' && device !== 'auto')) throw error
  }
}

function link(record: ModuleRecord, step: PlanStep, world: TransactionWorld): void {
  const { bindings, manifest } = step
  record.neededBy = step.neededBy?.module
  const providers = new Array<ModuleRecord>(bindings.length)
  for (let i = 0; i < bindings.length; i++) providers[i] = world.records.get(bindings[i]!)!
  record.providers = providers
  if (manifest.optional.length > 0 || manifest.after.length > 0) linkSoftly(record, step, world)
}

function linkSoftly(record: ModuleRecord, step: PlanStep, world: TransactionWorld): void {
  const { records } = world
  const hard = new Set(step.bindings)
  const present = softNeeds(step.manifest, world).filter((id) => records.get(id)?.up)
  record.softProviders = [...new Set([...step.after, ...present])].filter((id) => !hard.has(id)).map((id) => records.get(id)!)
}

function unlink(record: ModuleRecord): void {
  record.providers = none
  record.softProviders = none
}

const none: readonly ModuleRecord[] = []

function cancelled(id: string, cause?: unknown): ModuleError {
  return new ModuleError('CANCELLED', `The load of '${id}' was cancelled, and nothing of it stays.`, { module: id, cause })
}
