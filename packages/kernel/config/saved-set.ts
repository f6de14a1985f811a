import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { World } from '../manager/world.js'
import { canonical } from '../names.js'
import type { ModuleConfig } from './config.js'
import { secretKeys } from './secrets.js'

// The loaded set as a file, to be restored in another process.

export interface SavedModule {
  readonly id: string
  readonly version: string | undefined
  /** sha256 of the manifest and the entry file; undefined for modules registered at run time. */
  readonly integrity: string | undefined
  readonly wanted: boolean
  readonly active: boolean
  readonly config: ModuleConfig
}

export interface SavedSet {
  readonly modules: readonly SavedModule[]
  /** Provider of each capability, by name. */
  readonly bindings: Readonly<Record<string, string>>
  readonly disabled: readonly string[]
}

export async function savedSetOf(world: World): Promise<SavedSet> {
  const up = [...world.loaded.ids()].map((id) => world.records.get(id)!)
  const bindings: Record<string, string> = {}
  for (const { manifest } of up) for (const { capability } of manifest.provides) bindings[capability] ??= manifest.id
  return { modules: await Promise.all(up.map(savedModule)), bindings, disabled: [...world.disabled] }
}

async function savedModule(record: ModuleRecord): Promise<SavedModule> {
  const secrets = secretKeys(record.manifest.config)
  const config = Object.fromEntries(Object.entries(record.config ?? {}).filter(([key]) => !secrets.includes(key)))
  return {
    id: record.id,
    version: record.manifest.version,
    integrity: await integrityOf(record),
    wanted: record.wanted,
    active: record.state === 'active',
    config,
  }
}

async function integrityOf({ folder, manifest }: ModuleRecord): Promise<string | undefined> {
  if (folder === undefined) return undefined
  const hash = createHash('sha256')
  for (const file of ['module.yaml', manifest.entry]) hash.update(await readFile(join(folder, file)))
  return `sha256-${hash.digest('base64')}`
}

/** Writes beside the target and renames, so that a crash leaves the old file or the new one. */
export async function writeSavedSet(path: string, set: SavedSet): Promise<void> {
  const modules = Object.fromEntries(set.modules.map(({ id, ...rest }) => [id, rest]))
  const text = `${JSON.stringify({ version: 1, modules, bindings: set.bindings, disabled: set.disabled }, null, 2)}\n`
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`
  try {
    await writeFile(temporary, text, { mode: 0o600, flush: true })
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new ModuleError('BAD_SAVED_SET', `The module set could not be written to ${path}: ${messageOf(cause)}`, { cause })
  }
}

/** Reads our form, or the seed documents' `{ loaded_modules: { id: { config, active } }, disabled_modules: [] }`. */
export async function readSavedSet(path: string): Promise<SavedSet> {
  let document: unknown
  try {
    document = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new ModuleError('BAD_SAVED_SET', `The module set ${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
  if (!isMap(document)) throw malformed(path, 'it is no object')
  const seed = 'loaded_modules' in document
  const modules = seed ? document.loaded_modules : document.modules
  const disabled = (seed ? document.disabled_modules : document.disabled) ?? []
  const bindings = document.bindings ?? {}
  if (!isMap(modules)) throw malformed(path, `'${seed ? 'loaded_modules' : 'modules'}' is missing`)
  if (!Array.isArray(disabled)) throw malformed(path, 'the list of disabled modules is no list')
  if (!isMap(bindings)) throw malformed(path, "'bindings' is no object")
  return {
    modules: Object.entries(modules).map(([id, entry]) => savedEntry(path, id, entry)),
    bindings: Object.fromEntries(
      Object.entries(bindings).map(([capability, id]) => [canonical(capability), canonical(String(id))]),
    ),
    disabled: disabled.map((id) => canonical(String(id))),
  }
}

function savedEntry(path: string, id: string, entry: unknown): SavedModule {
  if (!isMap(entry)) throw malformed(path, `'${id}' is no object`)
  const { config = {}, active = true, wanted = true, version, integrity } = entry
  if (!isMap(config)) throw malformed(path, `the config of '${id}' is no object`)
  return {
    id: canonical(id),
    version: typeof version === 'string' ? version : undefined,
    integrity: typeof integrity === 'string' ? integrity : undefined,
    wanted: wanted === true,
    active: active === true,
    config,
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(path: string, what: string): ModuleError {
  return new ModuleError('BAD_SAVED_SET', `The module set ${path} is malformed: ${what}. Save it again with saveConfig.`)
}
