import type { ModuleConfig } from '../config/config.js'
import { ModuleError } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { barrierOf, barriers } from '../resolver/admission.js'
import { notLoaded } from './dependents.js'
import { answered } from './question.js'
import type { World } from './world.js'

/**
 * A new config for a loaded module, taken as it is or not at all; it may not lead where a load would be refused to lead.
 * @throws ModuleError `BAD_CONFIG`, `NOT_LOADED`, `CLOUD_REFUSED`, `CONFIG_NEEDS_RESTART`, `TIMEOUT`
 */
export async function configure(world: World, record: ModuleRecord, config: ModuleConfig): Promise<void> {
  if (!record.up) throw notLoaded(record.id)
  const { definition, context, life, id, manifest } = record
  const next = world.configs.check(manifest, { ...record.config, ...config })
  const state = world.resolverState(new Map([[id, next]]))
  if (barrierOf(manifest, state, (kind) => kind === 'cloud'))
    throw new ModuleError(barriers.cloud.code, barriers.cloud.reason(manifest, state), { module: id })
  const taken = definition?.onConfig?.(next as never, record.config as never, context!, record.implementation)
  const answer = await answered(record, 'onConfig', taken)
  // It may have failed over it.
  if (record.life !== life) throw record.error ?? notLoaded(id)
  if (answer !== 'applied') {
    const message = `Module '${id}' takes this config only when it is loaded. Unload it and load it with the new config.`
    throw new ModuleError('CONFIG_NEEDS_RESTART', message, { module: id })
  }
  record.config = next
  life!.config = next
  world.bus.emit('module.config', { id })
}
