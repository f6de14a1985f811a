import { randomUUID } from 'node:crypto'
import { realpath, rename, rm, writeFile } from 'node:fs/promises'
import { sep } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'
import { type Fingerprint, fingerprintOf } from '../install/fingerprint.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { World } from '../manager/world.js'
import { canonical } from '../names.js'
import type { ModuleConfig } from './config.js'
import { isMap, JsonFile } from './json-file.js'
import type { SecretBox } from './secret-box.js'
import { isSecretKey } from './secrets.js'

// The loaded set as a file, to be restored in another process: what was asked for, and a lock of what it was resolved to.

export interface SavedModule {
  readonly id: string
  readonly version: string | undefined
  readonly configVersion: number
  /** Of its files; undefined for modules registered at run time, and for those that come with the program. */
  readonly fingerprint: Fingerprint | undefined
  readonly wanted: boolean
  readonly active: boolean
  /** Secrets are sealed, or left out where there is no key to seal them with. */
  readonly config: ModuleConfig
  /** In the file it was read from, from 1. */
  readonly line?: number
}

export interface SavedSet {
  readonly modules: readonly SavedModule[]
  /** Provider of each capability, by name. */
  readonly bindings: Readonly<Record<string, string>>
  readonly disabled: readonly string[]
  /** Where it was read from. */
  readonly file?: string
}

export async function savedSetOf(world: World): Promise<SavedSet> {
  const up = [...world.loaded.ids()].map((id) => world.records.get(id)!)
  const bindings: Record<string, string> = {}
  for (const { manifest } of up) for (const { capability } of manifest.provides) bindings[capability] ??= manifest.id
  const shipped = await Promise.all(world.shipped.map((folder) => realpath(folder)))
  // Installed modules are held to what was agreed to, which an update changes.
  const held = (folder: string) =>
    !world.gate?.holds(folder) && !shipped.some((other) => folder === other || folder.startsWith(other + sep))
  const modules = await Promise.all(up.map((record) => savedModule(record, held, world.secretBox)))
  return { modules, bindings, disabled: [...world.disabled] }
}

async function savedModule(
  record: ModuleRecord,
  held: (folder: string) => boolean,
  box: SecretBox | undefined,
): Promise<SavedModule> {
  const { id, manifest, folder } = record
  return {
    id,
    version: manifest.version,
    configVersion: manifest.configVersion,
    fingerprint: folder !== undefined && held(folder) ? await fingerprintOf(folder) : undefined,
    wanted: record.wanted,
    active: record.state === 'active',
    config: await savedConfig(record, box),
  }
}

async function savedConfig({ id, manifest, config = {} }: ModuleRecord, box: SecretBox | undefined): Promise<ModuleConfig> {
  const saved: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(config)) {
    if (!isSecretKey(manifest.config, key)) saved[key] = value
    else if (box !== undefined && value !== '' && value !== undefined) saved[key] = await box.seal(value, `${id}.${key}`)
  }
  return saved
}

/** Writes beside the target and renames, so that a crash leaves the old file or the new one. */
export async function writeSavedSet(path: string, set: SavedSet): Promise<void> {
  const modules = Object.fromEntries(
    set.modules.map(({ id, fingerprint, line: _line, ...rest }) => [id, { ...rest, ...fingerprint }]),
  )
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

const words = { name: 'The module set', fix: 'Save it again with saveConfig.' }

/** Reads our form, or the seed documents' `{ loaded_modules: { id: { config, active } }, disabled_modules: [] }`. */
export async function readSavedSet(path: string): Promise<SavedSet> {
  return { ...parseSavedSet(await JsonFile.read(path, 'BAD_SAVED_SET', words)), file: path }
}

/** The same for a text that was read from `path`. @throws ModuleError `BAD_SAVED_SET` with file and line */
export function parseSavedText(text: string, path: string): SavedSet {
  return parseSavedSet(new JsonFile(path, text, 'BAD_SAVED_SET', words))
}

function parseSavedSet(file: JsonFile): SavedSet {
  const document = file.parse()
  const seed = 'loaded_modules' in document
  const [modulesKey, disabledKey] = seed ? ['loaded_modules', 'disabled_modules'] : ['modules', 'disabled']
  const { [modulesKey]: modules, [disabledKey]: disabled = [], bindings = {}, version = 1 } = document
  if (version !== 1) throw file.malformed(`its version is ${JSON.stringify(version)}, and only 1 is known`, 'version')
  if (!isMap(modules)) throw file.malformed(`'${modulesKey}' is missing`, modulesKey)
  if (!Array.isArray(disabled)) throw file.malformed('the list of disabled modules is no list', disabledKey)
  if (!isMap(bindings)) throw file.malformed("'bindings' is no object", 'bindings')
  const saved = Object.entries(modules).map(([id, entry]) => savedEntry(file, id, entry))
  const ids = new Set(saved.map(({ id }) => id))
  if (ids.size < saved.length) throw file.malformed('a module is in it twice, in two spellings', modulesKey)
  const off = disabled.map((id) => nameIn(file, id, disabledKey))
  const both = off.find((id) => ids.has(id))
  if (both !== undefined) throw file.malformed(`'${both}' is both loaded and disabled`, disabledKey)
  return {
    modules: saved,
    bindings: Object.fromEntries(
      Object.entries(bindings).map(([capability, id]) => [canonical(capability), nameIn(file, id, capability)]),
    ),
    disabled: [...new Set(off)],
  }
}

function savedEntry(file: JsonFile, id: string, entry: unknown): SavedModule {
  const name = nameIn(file, id, id)
  if (!isMap(entry)) throw file.malformed(`'${name}' is no object`, id)
  const { config = {}, active = true, wanted = true, version, configVersion = 1, integrity, files } = entry
  if (!isMap(config)) throw file.malformed(`the config of '${name}' is no object`, id)
  if (typeof configVersion !== 'number' || !Number.isInteger(configVersion) || configVersion < 1)
    throw file.malformed(`the config version of '${name}' is no number`, id)
  return {
    id: name,
    version: typeof version === 'string' ? version : undefined,
    configVersion,
    fingerprint: fingerprintIn(file, name, id, integrity, files),
    wanted: wanted === true,
    active: active === true,
    config,
    line: file.line(id),
  }
}

function fingerprintIn(file: JsonFile, name: string, id: string, integrity: unknown, files: unknown): Fingerprint | undefined {
  if (integrity === undefined || integrity === null) return undefined
  const known = typeof integrity === 'string' && /^sha512-[\w+/]+=*$/.test(integrity)
  if (!known || !isMap(files) || !Object.values(files).every((hash) => typeof hash === 'string'))
    throw file.malformed(`the integrity of '${name}' is no sha512 with its files`, id)
  return { integrity, files: files as Fingerprint['files'] }
}

function nameIn(file: JsonFile, name: unknown, key: string): string {
  const id = typeof name === 'string' ? canonical(name) : ''
  if (/^[a-z0-9][a-z0-9-]*$/.test(id)) return id
  throw file.malformed(`${JSON.stringify(name)?.slice(0, 80)} is no id of a module`, key)
}
