import type { ModuleConfig } from '../config/config.js'
import { type SavedSet, savedSetOf } from '../config/saved-set.js'
import { ModuleError } from '../errors.js'
import { loadAll } from './load-all.js'
import type { RestoreReport } from './manager-types.js'
import type { World } from './world.js'

/** Brings back a saved set on top of what is loaded, as one transaction, and tells what it changed. */
export async function restore(
  world: World,
  saved: SavedSet,
  secrets: Readonly<Record<string, ModuleConfig>>,
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
  const goals = saved.modules.map(({ id, config, active }) => {
    const given = { ...config, ...secrets[id] }
    return { record: world.require(id), config: Object.keys(given).length === 0 ? undefined : given, start: active }
  })
  const { loaded, started } = await loadAll(world, goals, {})
  for (const id of disabled) world.lifecycle.transition(world.require(id), 'disabled')
  for (const [i, { record }] of goals.entries()) record.wanted = saved.modules[i]!.wanted
  const now = await savedSetOf(world)
  const changed = saved.modules
    .filter(({ id, version, integrity }) => {
      const current = now.modules.find((other) => other.id === id)
      return (
        (version !== undefined && current?.version !== version) || (integrity !== undefined && current?.integrity !== integrity)
      )
    })
    .map(({ id }) => id)
  const lines = [
    ...loaded.map((id) => `+ ${id}`),
    ...started.map((id) => `> ${id}`),
    ...disabled.map((id) => `- ${id} (disabled)`),
  ]
  const text = [...lines, ...changed.map((id) => `~ ${id} differs from the saved one`)].join('\n')
  return { loaded, started, disabled, changed, text }
}
