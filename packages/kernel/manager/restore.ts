import type { ModuleConfig } from '../config/config.js'
import { type ComparableSet, diffOfSets } from '../config/diff-of-sets.js'
import { checkFiles, restoredConfig } from '../config/lock-check.js'
import type { SavedSet } from '../config/saved-set.js'
import { commit } from '../lifecycle/transaction.js'
import { plan } from '../resolver/resolver.js'
import { dependentsOf } from './dependents.js'
import { configsOf, rebind, refusalError, startOrder } from './load-all.js'
import type { RestoreOptions, RestoreReport } from './manager-types.js'
import type { World } from './world.js'

/**
 * Makes the loaded set the saved one, as one transaction: what is not in it goes, what has another config is loaded anew, and
 * on failure everything is as it was. Tells what it changed.
 */
export async function restore(world: World, saved: SavedSet, options: RestoreOptions): Promise<RestoreReport> {
  const entries = saved.modules.map((entry) => ({ ...entry, record: world.require(entry.id) }))
  for (const id of saved.disabled) world.require(id)
  const asked = await checkedConfigs(world, saved, options)
  const target: ComparableSet = {
    modules: entries.map(({ id, version, active }) => ({ id, version, active, config: asked.get(id)! })),
    disabled: saved.disabled,
  }
  const diff = diffOfSets(current(world), target, new Map(entries.map(({ id, record }) => [id, record.manifest.version])))

  const going = [...diff.unload, ...diff.reconfigure.map(({ id }) => id)].map((id) => world.require(id))
  const drop = [...new Set(going.flatMap((record) => dependentsOf(world, record)))]
  const lock = {
    bindings: new Map(Object.entries(saved.bindings)),
    versions: new Map(saved.modules.flatMap(({ id, version }) => (version === undefined ? [] : [[id, version] as const]))),
  }
  const disabled = new Set(saved.disabled)
  const missing = entries.filter(({ record }) => !record.up || drop.includes(record)).map(({ id }) => id)
  const result = plan({ load: missing }, { ...world.stateWithout(drop, asked), lock, disabled })
  if (!result.ok) throw refusalError(result)
  const { steps } = result
  const active = entries.filter(({ id, active }) => active && (missing.includes(id) || diff.start.includes(id)))
  const goals = active.map(({ record }) => record)
  const resting = new Set(diff.stop.flatMap((id) => dependentsOf(world, world.require(id))))
  const stop = [...resting].filter((record) => record.state === 'active' && !drop.includes(record))
  for (const id of diff.enable) world.lifecycle.transition(world.require(id), 'unloaded')
  try {
    world.resetFailed(steps)
    await commit(world, { steps, configs: configsOf(world, steps, asked), start: startOrder(world, goals, steps), drop, stop })
  } catch (error) {
    for (const id of diff.enable) world.lifecycle.transition(world.require(id), 'disabled')
    throw error
  }
  rebind(world, steps)
  world.lock = lock
  for (const record of drop) record.wanted = false
  for (const { record, wanted } of entries) record.wanted = wanted
  for (const id of diff.disable) {
    const record = world.require(id)
    if (record.state === 'error') world.lifecycle.reset(record)
    world.lifecycle.transition(record, 'disabled')
  }
  return { ...diff, changed: diff.versionChanges.map(({ id }) => id) }
}

/** The saved configs, migrated, with their secrets, checked; the files are those that were saved. */
async function checkedConfigs(
  world: World,
  saved: SavedSet,
  { secrets = {}, accept = [] }: RestoreOptions,
): Promise<Map<string, ModuleConfig>> {
  await checkFiles(
    saved,
    (id) => world.require(id).folder,
    (id) => accept.includes(id),
  )
  const configs = saved.modules.map(async (module): Promise<[string, ModuleConfig]> => {
    const { manifest } = world.require(module.id)
    const config = await restoredConfig(module, manifest, secrets[module.id], world.secretBox)
    return [module.id, world.configs.check(manifest, config)]
  })
  return new Map(await Promise.all(configs))
}

function current(world: World): ComparableSet {
  const records = [...world.loaded.ids()].map((id) => world.records.get(id)!)
  const modules = records.map(({ id, manifest, state, config }) => ({
    id,
    version: manifest.version,
    active: state === 'active',
    config: config ?? {},
  }))
  return { modules, disabled: [...world.disabled] }
}
