import type { ModuleConfig } from '../config/config.js'
import { ModuleError } from '../errors.js'
import { softNeeds } from '../resolver/order.js'
import type { PlanStep, ResolverState } from '../resolver/resolver.js'
import type { ResourceLedger } from '../resources/ledger.js'
import { runGraph } from './graph-run.js'
import type { Lifecycle } from './lifecycle.js'
import type { ModuleRecord } from './record.js'

// A plan carried out as one: reserve, load along the graph, start. When anything fails, what this transaction did is
// undone in reverse, and the modules that were there before are as they were.

interface TransactionWorld {
  readonly records: ReadonlyMap<string, ModuleRecord>
  readonly lifecycle: Lifecycle
  readonly ledger: ResourceLedger
  readonly catalogue: ResolverState['catalogue']
}

interface TransactionWork {
  readonly steps: readonly PlanStep[]
  /** Checked configs of the steps. */
  readonly configs: ReadonlyMap<string, ModuleConfig>
  /** Steps and modules loaded before that shall be active at the end, providers first. */
  readonly start: readonly ModuleRecord[]
  readonly signal?: AbortSignal | undefined
}

/** @throws ModuleError the first failure, after everything is undone */
export async function commit(world: TransactionWorld, work: TransactionWork): Promise<void> {
  const { records, lifecycle } = world
  const steps = new Map(work.steps.map((step) => [records.get(step.manifest.id)!, step]))
  const mine = [...steps.keys()]
  const started: ModuleRecord[] = []
  reserve(world, work.steps)

  const cancel = (cause: unknown) => {
    // A module of the earlier set that is being started is left to end that; it is stopped afterwards.
    for (const record of mine) {
      if (record.state === 'loading' || record.phase === 'starting') record.life?.lifeline.end(cancelled(record.id, cause))
    }
  }
  const onAbort = () => cancel(work.signal?.reason)
  work.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const before = (record: ModuleRecord) => [...record.providers, ...record.softProviders]
    for (const [record, step] of steps) link(record, step, world)
    let errors = await runGraph(
      mine,
      before,
      (record) => {
        if (work.signal?.aborted) return Promise.reject(cancelled(record.id))
        return lifecycle.load(record, steps.get(record)!.bindings, work.configs.get(record.id)!)
      },
      { onFirstError: cancel },
    )
    if (errors.length === 0) {
      errors = await runGraph(
        work.start,
        before,
        (record) => {
          if (work.signal?.aborted) return Promise.reject(cancelled(record.id))
          started.push(record)
          return lifecycle.start(record, steps.has(record))
        },
        { onFirstError: cancel },
      )
    }
    if (errors.length === 0) return
    await undo(world, mine, started)
    throw errors[0]
  } finally {
    work.signal?.removeEventListener('abort', onAbort)
  }
}

/** Unloads records and all they registered, those that need others first. Errors are collected, the rest goes on. */
export async function takeDown(lifecycle: Lifecycle, records: readonly ModuleRecord[]): Promise<unknown[]> {
  // Reverse of the load order: a record comes after everything that is bound to it or came after it.
  const followers = new Map<ModuleRecord, ModuleRecord[]>()
  for (const record of records) {
    for (const provider of [...record.providers, ...record.softProviders]) {
      const list = followers.get(provider)
      if (list === undefined) followers.set(provider, [record])
      else list.push(record)
    }
  }
  return runGraph(
    records,
    (record) => followers.get(record) ?? [],
    (record) => takeDownOne(lifecycle, record),
    { keepGoing: true },
  )
}

async function takeDownOne(lifecycle: Lifecycle, record: ModuleRecord): Promise<void> {
  try {
    if (record.state === 'active') await lifecycle.stop(record)
    if (record.state === 'loaded') await lifecycle.unload(record)
  } finally {
    unlink(record)
  }
}

async function undo(world: TransactionWorld, mine: readonly ModuleRecord[], started: readonly ModuleRecord[]): Promise<void> {
  await takeDown(world.lifecycle, mine)
  const own = new Set(mine)
  for (const record of [...started].reverse()) {
    // A module of the earlier set goes back from active to loaded; a failure there leaves it in error, with its reason.
    if (!own.has(record) && record.state === 'active') await world.lifecycle.stop(record).catch(() => undefined)
  }
  for (const record of mine) world.ledger.release(record.id)
}

function reserve(world: TransactionWorld, steps: readonly PlanStep[]): void {
  const reserved: string[] = []
  try {
    for (const { manifest } of steps) {
      const { ram, vram, gpu } = manifest.resources
      if (ram === 0 && vram === 0) continue
      // Where a GPU is only preferred, its memory is reserved if there is enough of it.
      const wanted = gpu === 'preferred' && vram > world.ledger.capacity.vram ? 0 : vram
      world.ledger.reserve(manifest.id, { ram, vram: wanted })
      reserved.push(manifest.id)
    }
  } catch (error) {
    for (const id of reserved) world.ledger.release(id)
    throw error
  }
}

function link(record: ModuleRecord, step: PlanStep, world: TransactionWorld): void {
  const { records } = world
  record.neededBy = step.neededBy?.module
  record.providers = step.bindings.map((id) => records.get(id)!)
  for (const provider of record.providers) provider.bind(record)
  const hard = new Set(step.bindings)
  const inPlan = step.after.filter((id) => !hard.has(id))
  const loaded = softNeeds(step.manifest, world).filter((id) => records.get(id)?.up && !hard.has(id))
  record.softProviders = [...new Set([...inPlan, ...loaded])].map((id) => records.get(id)!)
}

function unlink(record: ModuleRecord): void {
  for (const provider of record.providers) provider.unbind(record)
  record.providers = []
  record.softProviders = []
}

function cancelled(id: string, cause?: unknown): ModuleError {
  return new ModuleError('CANCELLED', `The load of '${id}' was cancelled, and nothing of it stays.`, { module: id, cause })
}
