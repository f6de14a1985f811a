import { realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ModuleDefinition } from '../define.js'
import { ModuleError } from '../errors.js'
import { evaluateFile } from '../hot-reload/evaluate-file.js'
import { isTypeScript } from '../hot-reload/source-file.js'
import type { CommandInfo, Manifest } from '../manifest/manifest.js'
import { type InterfaceLookup, isSeedModule, seedDefinition } from './seed-class.js'

// Module code on disk. It is imported here and nowhere else: at a module's first load, or when its command runs.

/** A command's code, in the form of the seed documents. */
export interface ModuleCommand {
  readonly name: string
  readonly description: string
  /** The answer is printed by the caller: text as it is, anything else as JSON. */
  execute(context: CommandContext): unknown
}

export interface CommandContext {
  /** Parsed options, by name; defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>
  readonly args: readonly string[]
  /** The interface of a module, loaded first if it is not: usually the command's own. */
  getInterface(id: string): Promise<unknown>
  readonly signal: AbortSignal
}

/** @throws ModuleError `ENTRY_MISSING`, `BAD_MODULE` */
export async function importDefinition(
  manifest: Manifest,
  folder: string,
  lookup: InterfaceLookup,
): Promise<ModuleDefinition<never>> {
  return definitionOf(manifest, await importFile(manifest.id, folder, manifest.entry), lookup)
}

/** The module among what its entry exports. @throws ModuleError `BAD_MODULE` */
export function definitionOf(
  manifest: Manifest,
  exports: Readonly<Record<string, unknown>>,
  lookup: InterfaceLookup,
): ModuleDefinition<never> {
  const found = exports.default ?? Object.values(exports).find(isSeedModule)
  if (isSeedModule(found)) {
    return seedDefinition(
      found,
      manifest.provides.map(({ capability }) => capability),
      lookup,
    )
  }
  if (isDefinition(found)) return found
  const message = `Module '${manifest.id}': ${manifest.entry} has no default export made by defineModule({ … }).`
  throw new ModuleError('BAD_MODULE', message, { module: manifest.id })
}

/**
 * @param anew as its file is now, not as it was imported before
 * @throws ModuleError `ENTRY_MISSING`, `COMMAND_MISSING`
 */
export async function importCommand(
  manifest: Manifest,
  folder: string,
  command: CommandInfo,
  anew: boolean,
): Promise<ModuleCommand> {
  const exports = anew
    ? (await evaluateFile(manifest.id, folder, command.entry)).exports
    : await importFile(manifest.id, folder, command.entry)
  const found = [exports.default, ...Object.values(exports)].find(isCommand)
  if (found) return found
  const message = `Module '${manifest.id}': ${command.entry} exports no command { name, description, execute }.`
  throw new ModuleError('COMMAND_MISSING', message, { module: manifest.id })
}

/**
 * The real path of a module's file. Links are followed first: one that leads out of the folder is no file of the module.
 * @throws ModuleError `ENTRY_MISSING`, `PATH_ESCAPE`
 */
export function entryPath(id: string, folder: string, entry: string): string {
  let path: string
  try {
    path = realpathSync(join(folder, entry))
  } catch (cause) {
    const message = `Module '${id}': ${entry} does not exist in ${folder}. Build it, or correct the path in its module.yaml.`
    throw new ModuleError('ENTRY_MISSING', message, { module: id, cause })
  }
  const root = realpathSync(folder)
  if (path.startsWith(root.endsWith(sep) ? root : root + sep)) return path
  const message = `Module '${id}': ${entry} leads out of ${folder}, to ${path}. A module's files must lie in its own folder.`
  throw new ModuleError('PATH_ESCAPE', message, { module: id })
}

async function importFile(id: string, folder: string, entry: string): Promise<Record<string, unknown>> {
  const path = entryPath(id, folder, entry)
  // Node runs no TypeScript; the bundler does.
  if (isTypeScript(entry)) return (await evaluateFile(id, folder, entry)).exports
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>
}

// Typed so that the compiler asks for a hook that is missing here.
const hooks: Readonly<Record<keyof ModuleDefinition, true>> = {
  load: true,
  start: true,
  stop: true,
  unload: true,
  health: true,
  estimate: true,
  usage: true,
  snapshot: true,
  restore: true,
  kill: true,
  onConfig: true,
}

function isDefinition(value: unknown): value is ModuleDefinition<never> {
  if (typeof value !== 'object' || value === null) return false
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return entries.every(([key, member]) => Object.hasOwn(hooks, key) && typeof member === 'function')
}

function isCommand(value: unknown): value is ModuleCommand {
  return typeof value === 'object' && value !== null && typeof (value as { execute?: unknown }).execute === 'function'
}
