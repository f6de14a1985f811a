import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { Dependent } from '../resolver/swap.js'

// Who needs whom among the loaded, and the refusals that come of it.

/** The record and all loaded modules bound to it, directly or not; the record first. */
export function dependentsOf(record: ModuleRecord): ModuleRecord[] {
  const found = new Set([record])
  for (const one of found) for (const dependent of one.dependents) if (dependent.up) found.add(dependent)
  return [...found]
}

/** All loaded modules bound to a record, directly or through others, as the resolver sees them. */
export function boundTo(record: ModuleRecord): Dependent[] {
  return dependentsOf(record)
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
