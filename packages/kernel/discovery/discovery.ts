import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { badManifest, type ManifestReader } from '../manifest/manifest-read.js'
import type { Problem } from '../manifest/schema-errors.js'
import { canonical } from '../names.js'

// Finds modules in folders by their `module.yaml`. Reads data only; no module code runs.

/** A module found on disk. */
export interface Discovered {
  readonly id: string
  readonly folder: string
  readonly file: string
  readonly result:
    | { readonly ok: true; readonly manifest: Manifest }
    | { readonly ok: false; readonly problems: readonly Problem[]; readonly error: ModuleError }
}

/**
 * The modules in `folders`: each a module itself (it holds a `module.yaml`) or a folder of modules. Sorted by id and folder.
 * A module that cannot be read, or whose id another folder has too, is in the list with its error: it does not stop the rest.
 * @throws ModuleError `NOT_REGISTERED` when a folder does not exist
 */
export async function discover(folders: readonly string[], reader: ManifestReader): Promise<Discovered[]> {
  const places = new Set<string>()
  for (const folder of folders) for (const place of await modulesIn(folder)) places.add(place)
  const found = await Promise.all([...places].map((place) => readModule(place, reader)))
  found.sort((a, b) => compare(a.id, b.id) || compare(a.folder, b.folder))
  return found.map((entry, i) => {
    const twin = entry.result.ok
      ? [found[i - 1], found[i + 1]].find((other) => other?.result.ok && other.id === entry.id)
      : undefined
    return twin === undefined ? entry : duplicate(entry, twin)
  })
}

async function modulesIn(folder: string): Promise<string[]> {
  let root: string
  try {
    root = await realpath(folder)
  } catch (cause) {
    throw new ModuleError('NOT_REGISTERED', `The modules folder '${folder}' does not exist. Create it or leave it out.`, {
      cause,
    })
  }
  if (await isFile(join(root, 'module.yaml'))) return [root]
  const entries = await readdir(root, { withFileTypes: true })
  const candidates = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => join(root, entry.name))
  const modules = await Promise.all(
    candidates.map(async (path) => ((await isFile(join(path, 'module.yaml'))) ? realpath(path) : undefined)),
  )
  return modules.filter((path) => path !== undefined)
}

async function readModule(folder: string, reader: ManifestReader): Promise<Discovered> {
  const file = join(folder, 'module.yaml')
  const fallbackId = canonical(basename(folder))
  let problems: readonly Problem[]
  try {
    const result = reader.read(await readFile(file, 'utf8'))
    if (result.ok) return { id: result.manifest.id, folder, file, result }
    problems = result.problems
  } catch (error) {
    problems = [{ key: '', message: messageOf(error) }]
  }
  return { id: fallbackId, folder, file, result: { ok: false, problems, error: badManifest(file, problems) } }
}

function duplicate(entry: Discovered, twin: Discovered): Discovered {
  const [first, second] = [entry.folder, twin.folder].sort(compare)
  const message = `Module id '${entry.id}' is in ${first} and in ${second}. Rename or remove one.`
  const error = new ModuleError('DUPLICATE_ID', message, { module: entry.id })
  return { ...entry, result: { ok: false, problems: [{ key: 'id', message }], error } }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
