import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModuleConfig } from '../config/config.js'
import { ModuleError } from '../errors.js'
import { bundleModule } from '../hot-reload/bundle-module.js'
import { ModuleRecord } from '../lifecycle/record.js'
import { badManifest } from '../manifest/manifest-read.js'
import { plan } from '../resolver/resolver.js'
import { boundTo } from './dependents.js'
import { refusalError } from './load-all.js'
import { answered } from './question.js'
import { replace } from './swap.js'
import type { World } from './world.js'

// New code in the place of the old, under the same id. The new code is evaluated and its manifest checked before the old one
// stops; from there it is a swap, with the old code brought back when the new one fails.

export interface ReloadReport {
  readonly id: string
  readonly version: string
  /** Whether it was up and is again; false: only its code and manifest were read anew. */
  readonly up: boolean
  /** Whether state was handed over. */
  readonly handedOver: boolean
  readonly ms: number
}

/** @throws ModuleError what is wrong with the new code, or how it failed; the old one serves as before */
export async function reload(world: World, old: ModuleRecord): Promise<ReloadReport> {
  const begun = performance.now()
  const next = await fresh(world, old)
  const report = (up: boolean, handedOver: boolean): ReloadReport => {
    const ms = performance.now() - begun
    world.bus.emit('module.reloaded', { id: next.id, version: next.manifest.version, ms })
    return { id: next.id, version: next.manifest.version, up, handedOver, ms }
  }
  if (!old.up) {
    if (old.state === 'error') world.lifecycle.reset(old)
    next.state = old.state
    next.config = old.config
    world.replace(next)
    return report(false, false)
  }
  const config = world.configs.check(next.manifest, old.config)
  // While it answers, the old one is the one to be found.
  const handover = await snapshot(old)
  world.replace(next)
  try {
    const { steps } = planReload(world, old, next, config)
    const configs = new Map(
      steps.map(({ manifest }) => [manifest.id, manifest.id === next.id ? config : world.configs.check(manifest, undefined)]),
    )
    old.handover = handover
    next.handover = handover
    await replace(world, { from: old, to: next, steps, configs, together: false })
    return report(true, handover !== undefined && next.definition?.restore !== undefined)
  } catch (error) {
    world.replace(old)
    throw error
  }
}

/** The module as its files are now. */
async function fresh(world: World, old: ModuleRecord): Promise<ModuleRecord> {
  const { folder } = old
  if (folder === undefined) return new ModuleRecord(old.manifest, old.source, undefined)
  const file = join(folder, 'module.yaml')
  const read = world.reader.read(await readFile(file, 'utf8'))
  if (!read.ok) throw badManifest(file, read.problems)
  const manifest = world.gate?.adapt(read.manifest, folder) ?? read.manifest
  if (manifest.id !== old.id) {
    const message = `Module '${old.id}' calls itself '${manifest.id}' now. A reload keeps the id: correct ${file}, or open a new manager.`
    throw new ModuleError('BAD_MANIFEST', message, { module: old.id })
  }
  // Elsewhere the code begins anew by itself; in this process it is bundled and evaluated.
  if (manifest.runtime !== 'inproc') return new ModuleRecord(manifest, world.sourceOf(manifest, folder), folder)
  await world.gate?.verify(manifest, folder)
  const definition = await bundleModule(manifest, folder, world.lookup(manifest))
  return new ModuleRecord(manifest, () => definition, folder)
}

function planReload(world: World, old: ModuleRecord, next: ModuleRecord, config: ModuleConfig) {
  const { id } = next
  const dependents = boundTo(world, old)
  for (const { manifest, requirements } of dependents) {
    for (const requirement of requirements.map((i) => manifest.requires[i]!)) {
      const offers = world.catalogue.providers(requirement.capability)
      const offer = offers.find((one) => one.manifest === next.manifest)
      if (offer && world.catalogue.satisfies(offer.version, requirement)) continue
      const what = offer ? `offers ${offer.version} now` : 'does not provide it any more'
      const message = `Module '${id}' cannot be reloaded: '${manifest.id}' needs '${requirement.text}', and it ${what}. Unload '${manifest.id}' first.`
      throw new ModuleError('NO_PROVIDER', message, { module: id, modules: [manifest.id] })
    }
  }
  const goal = { load: [id], apart: dependents.map(({ manifest }) => manifest.id) }
  const result = plan(goal, world.stateWithout([old], new Map([[id, config]])))
  if (!result.ok) throw refusalError(result)
  return result
}

async function snapshot(record: ModuleRecord): Promise<{ state: unknown } | undefined> {
  const { definition, context } = record
  if (!definition?.snapshot || !context) return undefined
  return { state: await answered(record, 'snapshot', definition.snapshot(context, record.implementation as never)) }
}
