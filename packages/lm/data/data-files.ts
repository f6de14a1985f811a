import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { LmError } from '../errors.js'

/** A file of training data. */
export interface DataFile {
  readonly path: string
  /** `jsonl`: one JSON object a line; `text`: everything else. */
  readonly kind: 'text' | 'jsonl'
  readonly bytes: number
}

const readable = /\.(txt|md|jsonl)$/i
const magic = /[*?{[]/

/**
 * The files that paths, folders (searched through, for .txt, .md and .jsonl; hidden ones left out) and globs (`*`, `**`, `?`, `{a,b}`) name: in
 * the order given, those of a folder or glob by name, none twice.
 * @param options.without files not to take, such as the validation text
 * @throws LmError FILE_NOT_FOUND, DATA_EMPTY, naming the path
 */
export async function findDataFiles(
  paths: readonly string[],
  options: { readonly without?: readonly DataFile[] } = {},
): Promise<DataFile[]> {
  if (paths.length === 0) throw new LmError('FILE_NOT_FOUND', 'No data named: give text or .jsonl files, folders or globs')
  const files = new Map<string, DataFile>()
  for (const path of paths) for (const file of await expand(path)) files.set(resolve(file.path), file)
  for (const file of options.without ?? []) files.delete(resolve(file.path))
  if (files.size === 0)
    throw new LmError('DATA_EMPTY', `Nothing to train on is left of ${paths.join(', ')}: every file is held out for validation`)
  return [...files.values()]
}

async function expand(path: string): Promise<DataFile[]> {
  const entry = await stat(path).catch(() => undefined)
  if (entry?.isDirectory()) {
    const files = await filesBelow(path, (name) => readable.test(name))
    if (files.length === 0) throw new LmError('FILE_NOT_FOUND', `No .txt, .md or .jsonl files in ${path}`)
    return describeAll(files, path)
  }
  if (entry) return describeAll([path], path)
  if (!magic.test(path)) throw new LmError('FILE_NOT_FOUND', `Data file not found: ${path}`)
  const files = await glob(path)
  if (files.length === 0) throw new LmError('FILE_NOT_FOUND', `No file matches ${path}`)
  return describeAll(files, path)
}

/** Those that hold something. */
async function describeAll(paths: readonly string[], asked: string): Promise<DataFile[]> {
  const files = (await Promise.all(paths.map(describe))).filter(({ bytes }) => bytes > 0)
  if (files.length > 0) return files
  throw new LmError('DATA_EMPTY', paths.length === 1 ? `Data file is empty: ${paths[0]}` : `All files of ${asked} are empty`)
}

async function describe(path: string): Promise<DataFile> {
  const entry = await stat(path)
  // Data are read more than once: to tell their kind, to hash, to learn from.
  if (!entry.isFile()) throw new LmError('DATA_INVALID', `${path} is no file. Save what it gives to one`)
  return { path, kind: /\.jsonl$/i.test(path) ? 'jsonl' : 'text', bytes: entry.size }
}

async function glob(pattern: string): Promise<string[]> {
  const segments = pattern.split(/[/\\]/)
  const first = segments.findIndex((segment) => magic.test(segment))
  const base = segments.slice(0, first).join(sep) || (first > 0 ? sep : '.')
  const expression = globExpression(segments.slice(first).join('/'))
  return filesBelow(base, (name) => expression.test(name))
}

/** The files under a folder whose path below it (with `/`) passes, sorted; hidden files and folders are left out. */
async function filesBelow(folder: string, passes: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const isFile = async (entry: Dirent) =>
    entry.isFile() ||
    (entry.isSymbolicLink() && (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.isFile())
  const files = await Promise.all(entries.map(isFile))
  return entries
    .filter((_, at) => files[at])
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !/(^|\/)\./.test(name) && passes(name))
    .sort()
    .map((name) => join(folder, ...name.split('/')))
}

function globExpression(glob: string): RegExp {
  let depth = 0
  const source = glob.replace(/\*\*\/|\*\*|\*|\?|[{},]|[\\^$.+()|[\]]/g, (found) => {
    switch (found) {
      case '**/':
        return '(?:.*/)?'
      case '**':
        return '.*'
      case '*':
        return '[^/]*'
      case '?':
        return '[^/]'
      case '{':
        depth++
        return '(?:'
      case '}':
        return depth-- > 0 ? ')' : '\\}'
      case ',':
        return depth > 0 ? '|' : ','
      default:
        return `\\${found}`
    }
  })
  return new RegExp(`^${source}${')'.repeat(Math.max(0, depth))}$`)
}
