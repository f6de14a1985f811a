import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

// What a module consists of, as hashes: one for the whole, to hold it to, and one for each file, to name the file that changed.

export interface Fingerprint {
  /** `sha512-<base64>` over the names and the full hashes of all files. */
  readonly integrity: string
  /** The first 16 bytes of each file's sha512 in base64, by its path with `/`. */
  readonly files: Readonly<Record<string, string>>
}

export interface FileDifferences {
  readonly changed: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

export interface FingerprintOptions {
  /**
   * Every file, those of installed packages included: for folders that are the module's alone. Default false: without
   * `node_modules` (a workspace shares it), names that begin with a dot, and what no code reads (`*.md`, `*.tsbuildinfo`).
   */
  readonly all?: boolean
}

/** Files read at a time. */
const atOnce = 8

/** Reads every file once, as a stream. Links are recorded by where they lead, not followed. @throws the system's errors */
export async function fingerprintOf(folder: string, { all = false }: FingerprintOptions = {}): Promise<Fingerprint> {
  const found = await filesIn(folder, '', all)
  found.sort((a, b) => (a.path < b.path ? -1 : 1))
  const hashes: Buffer[] = []
  for (let i = 0; i < found.length; i += atOnce) {
    const batch = found.slice(i, i + atOnce).map(({ path, link }) => (link ? hashOfLink : hashOfFile)(join(folder, path)))
    hashes.push(...(await Promise.all(batch)))
  }
  const whole = createHash('sha512')
  const files: Record<string, string> = {}
  for (const [i, { path }] of found.entries()) {
    const hash = hashes[i]!
    whole.update(`${path}\0`).update(hash)
    files[path] = hash.subarray(0, 16).toString('base64')
  }
  return { integrity: `sha512-${whole.digest('base64')}`, files }
}

/** Which files make the difference, each list sorted. */
export function differencesOf(recorded: Fingerprint['files'], now: Fingerprint['files']): FileDifferences {
  const both = Object.keys(recorded).filter((path) => Object.hasOwn(now, path))
  return {
    changed: both.filter((path) => recorded[path] !== now[path]).sort(),
    added: Object.keys(now)
      .filter((path) => !Object.hasOwn(recorded, path))
      .sort(),
    removed: Object.keys(recorded)
      .filter((path) => !Object.hasOwn(now, path))
      .sort(),
  }
}

/** `dist/index.js changed, dist/x.js is new`; the first few of each. */
export function differencesText({ changed, added, removed }: FileDifferences): string {
  const some = (files: readonly string[], what: string) => {
    const more = files.length > 3 ? ` and ${files.length - 3} more` : ''
    return files.length === 0 ? [] : [`${files.slice(0, 3).join(', ')}${more} ${files.length === 1 ? 'is' : 'are'} ${what}`]
  }
  const parts = [...some(changed, 'changed'), ...some(added, 'new'), ...some(removed, 'gone')]
  return parts.join(', ') || 'its files differ from the recorded ones'
}

interface Found {
  readonly path: string
  readonly link: boolean
}

async function filesIn(root: string, below: string, all: boolean): Promise<Found[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true })
  const found: Found[] = []
  for (const entry of entries) {
    if (!all && left(entry.name)) continue
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await filesIn(root, path, all)))
    else if (entry.isFile() || entry.isSymbolicLink()) found.push({ path, link: entry.isSymbolicLink() })
  }
  return found
}

function left(name: string): boolean {
  return name === 'node_modules' || name.startsWith('.') || /\.(md|tsbuildinfo)$/i.test(name)
}

async function hashOfFile(path: string): Promise<Buffer> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(path), hash)
  return hash.digest()
}

async function hashOfLink(path: string): Promise<Buffer> {
  return createHash('sha512')
    .update(`link to ${await readlink(path)}`)
    .digest()
}
