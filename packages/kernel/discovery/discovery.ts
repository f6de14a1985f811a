import { lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { badManifest, lineIn, type ManifestReader } from '../manifest/manifest-read.js'
import { maxTextBytes, readText, tooLarge } from '../manifest/manifest-text.js'
import { type Problem, problem } from '../manifest/problem.js'
import { canonical } from '../names.js'
import { packagesIn } from './npm-packages.js'

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
 * The modules in `folders`: each a module itself (it holds a `module.yaml`), a `node_modules` folder, whose packages are modules
 * when they say so, or a folder of these. Sorted by id and folder.
 * A module that cannot be read, or whose id another folder has too, is in the list with its error: it does not stop the rest.
 * @throws ModuleError `NOT_REGISTERED` when a folder does not exist or cannot be read
 */
export async function discover(folders: readonly string[], reader: ManifestReader): Promise<Discovered[]> {
  const places = new Set<string>()
  for (const folder of folders) for (const place of await modulesIn(folder)) places.add(place)
  const found = await Promise.all([...places].map((place) => readModule(place, reader)))
  found.sort((a, b) => compare(a.id, b.id) || compare(a.folder, b.folder))
  const all = found.map((entry, i) => {
    const twin = entry.result.ok
      ? [found[i - 1], found[i + 1]].find((other) => other?.result.ok && other.id === entry.id)
      : undefined
    return twin === undefined ? entry : duplicate(entry, twin)
  })
  return Promise.all(all)
}

async function modulesIn(folder: string): Promise<string[]> {
  let root: string
  try {
    root = await realpath(folder)
    if (await isThere(join(root, 'module.yaml'))) return [root]
    if (basename(root) === 'node_modules') return await packagesIn(root)
    const entries = await readdir(root, { withFileTypes: true })
    const candidates = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    const found = await Promise.all(
      candidates.map(async ({ name }) => {
        const path = join(root, name)
        if (name === 'node_modules') return packagesIn(path)
        return (await isThere(join(path, 'module.yaml'))) ? [await realpath(path)] : []
      }),
    )
    return found.flat()
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const what = missing ? 'does not exist. Create it or leave it out.' : `cannot be read: ${messageOf(cause)}`
    throw new ModuleError('NOT_REGISTERED', `The modules folder '${folder}' ${what}`, { cause })
  }
}

async function readModule(folder: string, reader: ManifestReader): Promise<Discovered> {
  const file = join(folder, 'module.yaml')
  const source = await readManifest(file)
  const result = source instanceof Uint8Array ? reader.read(source) : { ok: false as const, problems: [source] }
  if (result.ok) return { id: result.manifest.id, folder, file, result }
  const { problems } = result
  return { id: canonical(basename(folder)), folder, file, result: { ok: false, problems, error: badManifest(file, problems) } }
}

/** The bytes of a manifest. What is no file of a sensible size is a problem, and is not read: a pipe would never end. */
async function readManifest(file: string): Promise<Uint8Array | Problem> {
  try {
    const info = await stat(file)
    if (info.isDirectory()) return problem([], 'it is a folder, not a file', { line: 1 })
    if (!info.isFile()) return problem([], 'it is no regular file', { line: 1 })
    if (info.size > maxTextBytes) return tooLarge(info.size)
    const handle = await open(file)
    try {
      return await handle.readFile()
    } finally {
      await handle.close()
    }
  } catch (error) {
    return problem([], messageOf(error), { line: 1 })
  }
}

/** The line of a key in a manifest on disk, from 1. Read again, as trees of lines are not kept. */
export async function lineInFile(file: string, path: readonly string[]): Promise<number> {
  const source = await readManifest(file)
  const text = source instanceof Uint8Array ? readText(source) : undefined
  return text?.ok ? lineIn(text.lineOf, path) : 1
}

async function duplicate(entry: Discovered, twin: Discovered): Promise<Discovered> {
  const [first, second] = await Promise.all(
    [entry.file, twin.file].sort(compare).map(async (file) => ({ file, line: await lineInFile(file, ['id']) })),
  )
  const place = (at: typeof first) => `${dirname(at!.file)} (module.yaml:${at!.line})`
  const message = `Module id '${entry.id}' is in ${place(first)} and in ${place(second)}. Rename or remove one.`
  const { line } = entry.file === first!.file ? first! : second!
  const error = new ModuleError('DUPLICATE_ID', message, { module: entry.id, file: entry.file, line })
  return { ...entry, result: { ok: false, problems: [problem(['id'], message, { line, code: 'DUPLICATE_ID' })], error } }
}

// A broken link, or a link to itself, is there too: what is wrong with it is said when it is read.
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch {
    return false
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
