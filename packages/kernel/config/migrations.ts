import { ModuleError } from '../errors.js'
import type { Manifest, Migration } from '../manifest/manifest.js'
import type { ModuleConfig } from './config.js'
import { isMap } from './json-file.js'

// Configs that were saved by an earlier version of a module, brought to the present one as the manifest says. Data, not code:
// it is needed before any of the module's code may run.

/**
 * @param from version of the config; 1 for one saved before the module had versions
 * @throws ModuleError `BAD_CONFIG` when it comes from a later version than the module knows
 */
export function migrateConfig({ id, configVersion, migrations }: Manifest, config: ModuleConfig, from: number): ModuleConfig {
  if (from > configVersion) {
    const fix = 'Update the module, or give it a new config.'
    const message = `The config of module '${id}' is of version ${from}; the installed module knows versions up to ${configVersion}. ${fix}`
    throw new ModuleError('BAD_CONFIG', message, { module: id })
  }
  const steps = migrations.filter(({ to }) => to > from)
  if (steps.length === 0) return config
  const next = structuredClone(config) as Record<string, unknown>
  for (const step of steps) apply(step, next)
  return next
}

function apply({ rename, remove, defaults }: Migration, config: Record<string, unknown>): void {
  for (const [old, name] of Object.entries(rename)) {
    const value = take(config, old.split('.'))
    if (value !== undefined) put(config, name.split('.'), value)
  }
  for (const name of remove) take(config, name.split('.'))
  for (const [name, value] of Object.entries(defaults)) {
    const path = name.split('.')
    if (look(config, path) === undefined) put(config, path, structuredClone(value))
  }
}

function look(config: Record<string, unknown>, path: readonly string[]): unknown {
  let node: unknown = config
  for (const name of path) {
    if (!isMap(node) || !Object.hasOwn(node, name)) return undefined
    node = node[name]
  }
  return node
}

function take(config: Record<string, unknown>, path: readonly string[]): unknown {
  const parent = look(config, path.slice(0, -1))
  const last = path.at(-1)!
  if (!isMap(parent) || !Object.hasOwn(parent, last)) return undefined
  const value = parent[last]
  delete parent[last]
  return value
}

function put(config: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = config
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(node, name) || !isMap(node[name])) node[name] = {}
    node = node[name] as Record<string, unknown>
  }
  node[path.at(-1)!] = value
}
