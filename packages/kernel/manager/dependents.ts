import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { Dependent } from '../resolver/swap.js'
import type { World } from './world.js'

// Who needs whom among the loaded, and the refusals that come of it.

// Looked up when it is asked: a module knows whom it is bound to, and a second book of the same would be kept at every load.

/** Modules that are bound to a record, or about to be. */
export function directDependents({ records }: World, record: ModuleRecord): ModuleRecord[] {
  return [...records.values()].filter(({ providers }) => providers.includes(record))
}

/** The record and all loaded modules bound to it, directly or not; the record first. */
export function dependentsOf({ records }: World, record: ModuleRecord): ModuleRecord[] {
  const dependents = new Map<ModuleRecord, ModuleRecord[]>()
  for (const other of records.values()) {
    for (const provider of other.up ? other.providers : []) {
      const list = dependents.get(provider)
      if (list) list.push(other)
      else dependents.set(provider, [other])
    }
  }
  const found = new Set([record])
  for (const one of found) for (const dependent of dependents.get(one) ?? []) found.add(dependent)
  return [...found]
}

/** All loaded modules bound to a record, directly or through others, as the resolver sees them. */
export function boundTo(world: World, record: ModuleRecord): Dependent[] {
  return dependentsOf(world, record)
    .slice(1)
    .map(({ manifest, providers }) => ({
      manifest,
      requirements: providers.flatMap((provider, i) => (provider === record ? [i] : [])),
    }))
}

/** The refusal to `unload` or `stop` a module that others need. */
export function requiredBy(verb: string, record: ModuleRecord, all: readonly ModuleRecord[]): ModuleError {
  const others = all.filter((other) => other !== record).map(({ id }) => id)
  const names = others.map((id) => `'${id}'`).join(', ')
  const fix = `${verb === 'stop' ? 'Stop' : 'Unload'} ${others.length === 1 ? 'it' : 'them'} first, or pass { cascade: true }.`
  const message = `Cannot ${verb} '${record.id}': required by ${names}. ${fix}`
  return new ModuleError('REQUIRED_BY', message, { module: record.id, modules: others })
}

export function notLoaded(id: string): ModuleError {
  return new ModuleError('NOT_LOADED', `Module '${id}' not loaded. Load it first: await manager.load('${id}')`, { module: id })
}

/** Throws the one error, or one for several. */
export function throwFirst(errors: readonly unknown[], code: ModuleErrorCode): void {
  if (errors.length === 0) return
  if (errors.length === 1) throw errors[0]
  throw new ModuleError(code, errors.map(messageOf).join(' '), { cause: new AggregateError(errors) })
}
