import type { EventBus } from '../events/events.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { Hardware } from './hardware.js'
import type { ResourceLedger } from './ledger.js'

// From time to time the ledger is held against what is: modules are asked what they hold, drivers what is free.

interface Books {
  readonly bus: EventBus
  readonly ledger: ResourceLedger
}

/** Brings the ledger up to date and tells what changed. Never rejects. */
export async function watchResources(
  world: Books & { readonly hardware: Hardware },
  records: Iterable<ModuleRecord>,
): Promise<void> {
  await world.hardware.refresh()
  for (const record of records) reconcile(world, record)
  tellPressure(world)
}

/** Takes what a module says it holds, if it says something. */
export function reconcile({ ledger, bus }: Books, record: ModuleRecord): void {
  if (!record.up || record.phase !== undefined || !record.definition?.usage) return
  let usage: ReturnType<NonNullable<typeof record.definition.usage>> | undefined
  try {
    usage = record.definition.usage(record.context!, record.implementation)
  } catch {
    // No answer is no news: the figure before stands.
    return
  }
  const changed = ledger.reconcile(record.id, usage)
  if (changed) bus.emit('ledger.reconciled', { id: record.id, before: changed.before, after: changed.after })
}

/** Tells the pools whose level has changed. */
export function tellPressure({ ledger, bus }: Books): void {
  for (const { name, level, share } of ledger.pressure()) bus.emit('ledger.pressure', { pool: name, level, share })
}
