import type { Dirent, Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'

export interface Entry {
  readonly name: string
  readonly path: string
  readonly kind: 'file' | 'folder'
}

/** Levels below the first folder. */
const maxDepth = 8

/** Files and folders, never links and never through them; a folder comes before what is in it. Missing folders are empty. */
export async function* walk(folder: string, deep: boolean, depth = 0): AsyncGenerator<Entry> {
  const entries = await opendir(folder).catch(() => [] as Dirent[])
  for await (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield { name: entry.name, path, kind: 'file' }
    if (!entry.isDirectory()) continue
    yield { name: entry.name, path, kind: 'folder' }
    if (deep && depth < maxDepth) yield* walk(path, deep, depth + 1)
  }
}

export interface Measure {
  readonly bytes: number
  /** Milliseconds since the epoch: the newest change (with `reading`, or reading) of the entry and all in it. */
  readonly touched: number
  /** Entries below a folder. */
  readonly entries: number
}

/** Undefined when it is gone or no longer of that kind: a link may have taken its place. */
export async function measure({ path, kind }: Entry, reading: boolean): Promise<Measure | undefined> {
  const own = await lstat(path).catch(() => undefined)
  if (own === undefined || !(kind === 'file' ? own.isFile() : own.isDirectory())) return undefined
  if (kind === 'file') return { bytes: own.size, touched: touchedAt(own, reading), entries: 0 }
  let [bytes, touched, entries] = [0, own.mtimeMs, 0]
  for await (const entry of walk(path, true)) {
    const stats = await lstat(entry.path).catch(() => undefined)
    if (stats === undefined) continue
    entries++
    if (entry.kind === 'file') bytes += stats.size
    touched = Math.max(touched, entry.kind === 'file' ? touchedAt(stats, reading) : stats.mtimeMs)
  }
  return { bytes, touched, entries }
}

const touchedAt = ({ mtimeMs, atimeMs }: Stats, reading: boolean) => (reading ? Math.max(mtimeMs, atimeMs) : mtimeMs)
