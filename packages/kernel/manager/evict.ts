import type { ModuleConfig } from '../config/config.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { type Conflict, type Goal, type Plan, plan } from '../resolver/resolver.js'
import { chooseVictims } from '../resources/eviction.js'
import { directDependents } from './dependents.js'
import type { World } from './world.js'

// Room for what does not fit, by the policy `eviction: idle`: the fewest, least recently used modules that nobody needs go first.

/** When modules were last used through a handle, as far as somebody looked: calls are counted, not timed. */
export class LastUse {
  readonly #seen = new WeakMap<ModuleRecord, { readonly calls: number; readonly at: number }>()

  /** Looks at the counters; those that moved since the last look were used just now. */
  note(records: Iterable<ModuleRecord>): void {
    for (const record of records) {
      const calls = record.slots.reduce((sum, slot) => sum + slot.calls, 0)
      const seen = this.#seen.get(record)
      if (calls === 0 && seen === undefined) continue
      if (seen?.calls !== calls) this.#seen.set(record, { calls, at: performance.now() })
    }
  }

  /** As `performance.now()`; a module that was never used counts from its load. */
  of(record: ModuleRecord): number {
    return Math.max(record.begun ?? 0, this.#seen.get(record)?.at ?? 0)
  }
}

/** The plan, and the modules that must go for it. */
export function planWithRoom(
  world: World,
  goal: Goal,
  asked: ReadonlyMap<string, ModuleConfig>,
): { result: Plan | Conflict; drop: readonly ModuleRecord[] } {
  const state = world.resolverState(asked)
  const result = plan(goal, state)
  if (result.ok || world.eviction === 'never' || (result.code !== 'NO_RAM' && result.code !== 'NO_VRAM'))
    return { result, drop: [] }
  const without = (gone: readonly ModuleRecord[]) => plan({ ...goal, without: gone.map(({ id }) => id) }, state)
  const drop = chooseVictims(evictable(world, goal), (gone) => without(gone).ok)
  return drop === undefined ? { result, drop: [] } : { result: without(drop), drop }
}

/** Least recently used first. */
function evictable(world: World, goal: Goal): ModuleRecord[] {
  const holders = world.ledger.list().map(({ module }) => world.records.get(module))
  const free = holders.filter((record) => record !== undefined && mayGo(world, record) && !goal.load.includes(record.id))
  world.lastUse.note(free as ModuleRecord[])
  return (free as ModuleRecord[]).sort((a, b) => world.lastUse.of(a) - world.lastUse.of(b))
}

function mayGo(world: World, record: ModuleRecord): boolean {
  return (
    record.up &&
    record.phase === undefined &&
    (!record.wanted || record.manifest.lifecycle.evictable) &&
    !directDependents(world, record).some((dependent) => dependent.up) &&
    record.slots.every(({ pending }) => pending === 0)
  )
}
