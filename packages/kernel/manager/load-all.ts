import type { ModuleConfig } from '../config/config.js'
import { ModuleError } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { commit } from '../lifecycle/transaction.js'
import type { Conflict, Goal, Plan, PlanStep } from '../resolver/resolver.js'
import { directDependents } from './dependents.js'
import { planWithRoom } from './evict.js'
import type { CanLoad, LoadOptions } from './manager-types.js'
import type { World } from './world.js'

// From a wish to a committed plan.

interface LoadGoal {
  readonly record: ModuleRecord
  readonly config: ModuleConfig | undefined
  readonly start: boolean
}

/** The plan for some modules as things stand. `asked` are checked configs. */
export function planFor(
  world: World,
  goals: readonly ModuleRecord[],
  asked: ReadonlyMap<string, ModuleConfig | undefined> = new Map(),
  strict = false,
): Plan | Conflict {
  return planWithRoom(world, goalOf(goals, strict), given(asked)).result
}

function goalOf(records: readonly ModuleRecord[], strict = false): Goal {
  return { load: records.map(({ id }) => id), strict }
}

function given(asked: ReadonlyMap<string, ModuleConfig | undefined>): Map<string, ModuleConfig> {
  return new Map([...asked].filter((entry): entry is [string, ModuleConfig] => entry[1] !== undefined))
}

/** Loads and starts the goals and what they need, as one transaction. Ids in the order of the work. */
export async function loadAll(
  world: World,
  goals: readonly LoadGoal[],
  options: LoadOptions,
): Promise<{ loaded: string[]; started: string[] }> {
  // What drivers say of their memory ages; without a GPU there is nothing to ask.
  if (world.hardware.hasGpu) await world.hardware.refresh()
  const records = goals.map(({ record }) => record)
  const asked = new Map(goals.map(({ record, config }) => [record.id, world.checkAsked(record, config)]))
  const { result, drop } = planWithRoom(world, goalOf(records, options.strict), given(asked))
  if (!result.ok) throw refusalError(result)
  const { steps } = result
  const configs = configsOf(world, steps, asked)
  world.resetFailed(steps)
  const wanted = goals.filter((goal) => goal.start).map(({ record }) => record)
  const start = startOrder(world, wanted, steps)
  await commit(world, { steps, configs, start, drop, signal: options.signal })
  for (const gone of drop) {
    gone.wanted = false
    world.bus.emit('module.evicted', { id: gone.id, goal: records[0]!.id })
  }
  rebind(world, steps)
  if (!world.ready) {
    world.ready = true
    world.bus.emit('manager.ready', { modules: steps.length })
  }
  return { loaded: steps.map((step) => step.manifest.id), started: start.map(({ id }) => id) }
}

/** The config of each step: the one asked for, or the defaults. */
export function configsOf(
  world: World,
  steps: readonly PlanStep[],
  asked: ReadonlyMap<string, ModuleConfig | undefined>,
): Map<string, ModuleConfig> {
  const configs = new Map<string, ModuleConfig>()
  for (let i = 0; i < steps.length; i++) {
    const { manifest } = steps[i]!
    const given = asked.get(manifest.id)
    if (given) configs.set(manifest.id, given)
    else if (manifest.config) configs.set(manifest.id, world.configs.check(manifest, undefined))
  }
  return configs
}

/** A plan or a refusal as the answer of `canLoad`. */
export function answerOf(result: Plan | Conflict): CanLoad {
  if (result.ok)
    return {
      ok: true,
      reason: 'OK',
      code: undefined,
      plan: result.steps.map(({ manifest }) => manifest.id),
      alternatives: [],
      because: [],
    }
  const { reason, code, alternatives, because } = result
  return { ok: false, reason, code, plan: [], alternatives, because }
}

export function refusalError({ code, reason, module, alternatives, modules, because }: Conflict): ModuleError {
  return new ModuleError(code, reason, { module, alternatives, modules, because })
}

/**
 * After a module has failed, those bound to it are still up, with handles that throw. What was loaded now takes over: the
 * module itself, come back, or another provider of what they require.
 */
export function rebind(world: World, steps: readonly PlanStep[]): void {
  for (const dead of world.bereft) {
    for (const dependent of dead.up ? [] : directDependents(world, dead)) {
      dependent.manifest.requires.forEach((requirement, i) => {
        if (dependent.providers[i] !== dead) return
        const offers = world.catalogue.providers(requirement.capability)
        const heir = steps.find(({ manifest }) =>
          offers.some((offer) => offer.manifest === manifest && world.catalogue.satisfies(offer.version, requirement)),
        )
        if (!heir) return
        const next = world.records.get(heir.manifest.id)!
        dependent.rebindOne(i, next)
        next.adopt(dead.orphans)
      })
    }
    if (dead.up || directDependents(world, dead).length === 0) world.bereft.delete(dead)
  }
}

/** The goals and all they are bound to once `steps` are loaded, without those that are active; the steps in their order. */
export function startOrder(world: World, goals: readonly ModuleRecord[], steps: readonly PlanStep[]): ModuleRecord[] {
  const now = steps.map(({ manifest }) => world.records.get(manifest.id)!)
  // Every step is there for some goal: where nothing was loaded before, they are all that starts.
  if (world.loaded.size === 0 && goals.length > 0 && coversAll(goals, steps)) return now
  const planned = new Map<ModuleRecord, PlanStep>()
  for (let i = 0; i < now.length; i++) planned.set(now[i]!, steps[i]!)
  const wanted = new Set(goals)
  // A set is walked through what is added meanwhile.
  for (const record of wanted) {
    const step = planned.get(record)
    if (step) for (const id of step.bindings) wanted.add(world.records.get(id)!)
    else if (record.state !== 'active') for (const provider of record.providers) wanted.add(provider)
  }
  const earlier = [...wanted].filter((record) => !planned.has(record) && record.state !== 'active').reverse()
  return [...earlier, ...(wanted.size - earlier.length === now.length ? now : now.filter((record) => wanted.has(record)))]
}

/** Whether all that was asked for shall start, and so all that it needs. */
function coversAll(goals: readonly ModuleRecord[], steps: readonly PlanStep[]): boolean {
  const starting = new Set(goals.map(({ id }) => id))
  return steps.every(({ manifest, neededBy }) => neededBy !== undefined || starting.has(manifest.id))
}
