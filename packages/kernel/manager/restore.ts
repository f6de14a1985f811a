import { checkFiles, restoredConfig } from '../config/lock-check.js'
import type { SavedSet } from '../config/saved-set.js'
import { ModuleError } from '../errors.js'
import { loadAll } from './load-all.js'
import type { RestoreOptions, RestoreReport } from './manager-types.js'
import type { World } from './world.js'

/** Brings back a saved set on top of what is loaded, as one transaction, and tells what it changed. */
export async function restore(
  world: World,
  saved: SavedSet,
  { secrets = {}, accept = [] }: RestoreOptions,
): Promise<RestoreReport> {
  const disabled: string[] = []
  for (const id of saved.disabled) {
    const record = world.require(id)
    if (record.state === 'disabled') continue
    if (record.state !== 'unloaded')
      throw new ModuleError('BAD_SAVED_SET', `'${id}' is disabled in the saved set, but it is ${record.state}. Unload it first.`)
    disabled.push(id)
  }
  for (const [capability, id] of Object.entries(saved.bindings)) world.prefer.set(capability, id)
  const accepted = new Set(accept)
  await checkFiles(
    saved,
    (id) => world.require(id).folder,
    (id) => accepted.has(id),
  )
  const goals = await Promise.all(
    saved.modules.map(async (module) => {
      const record = world.require(module.id)
      return {
        record,
        config: await restoredConfig(module, record.manifest, secrets[module.id], world.secretBox),
        start: module.active,
      }
    }),
  )
  const { loaded, started } = await loadAll(world, goals, {})
  for (const id of disabled) world.lifecycle.transition(world.require(id), 'disabled')
  for (const [i, { record }] of goals.entries()) record.wanted = saved.modules[i]!.wanted
  const changed = saved.modules
    .filter(({ version }, i) => version !== undefined && version !== goals[i]!.record.manifest.version)
    .map(({ id }) => id)
  const lines = [
    ...loaded.map((id) => `+ ${id}`),
    ...started.map((id) => `> ${id}`),
    ...disabled.map((id) => `- ${id} (disabled)`),
  ]
  const text = [...lines, ...changed.map((id) => `~ ${id} has another version than the saved one`)].join('\n')
  return { loaded, started, disabled, changed, text }
}
