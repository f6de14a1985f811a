import { readdir, realpath, rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { GarbageItem, GarbageReport, GarbageRule } from '@enigma/contracts'
import type { EnigmaFolders } from '@enigma/files'
import { isInside, ownership } from './owned-folder.js'
import { type Entry, measure, walk } from './walk.js'

// Finding and removing. What is found is looked at once more right before it goes.

/** An entry to remove, and the real folder that it must lie in. */
interface Candidate {
  readonly rule: GarbageRule
  readonly entry: Entry
  readonly root: string
  readonly item: GarbageItem
}

/** Removals between two breaths of the event loop. */
const batch = 32
/** Entries of a run at most; the next run takes the rest. */
const maxItems = 10_000
/** Problems that a report tells at most. */
const maxProblems = 50

export interface Found {
  readonly candidates: readonly Candidate[]
  readonly problems: readonly string[]
}

/** Folders that may lie below a home. */
const parts = new Set<GarbageRule['root']>(['state', 'cache', 'logs'])

/** What the rules would remove at a time (ms since the epoch). Touches nothing. */
export async function find(rules: readonly GarbageRule[], folders: EnigmaFolders, now = Date.now()): Promise<Found> {
  const candidates = new Map<string, Candidate>()
  const problems = new Set<string>()
  for (const rule of rules) {
    const owned = await ownership(folders[rule.root], parts.has(rule.root))
    if (!owned.owned) {
      if (owned.why !== undefined) problems.add(owned.why)
      continue
    }
    // A folder on the way may be a link to somewhere else: where it really is counts.
    const start = await realpath(join(owned.real, rule.folder ?? '.')).catch(() => undefined)
    if (start === undefined) continue
    if (!isInside(owned.real, start)) {
      problems.add(`${join(folders[rule.root], rule.folder!)} is left alone: it lies outside of ${folders[rule.root]}`)
      continue
    }
    try {
      for await (const entry of walk(start, rule.deep ?? false)) {
        if (candidates.size >= maxItems) break
        if (candidates.has(entry.path)) continue
        const item = await itemOf(rule, entry, now)
        if (item) candidates.set(entry.path, { rule, entry, root: owned.real, item })
      }
    } catch (error) {
      problems.add(`The garbage rule '${rule.id}' failed: ${(error as Error).message}`)
    }
  }
  return { candidates: [...candidates.values()], problems: [...problems] }
}

/** Removes what was found, in batches, until `signal` is aborted. What has changed meanwhile stays. */
export async function remove(found: Found, signal: AbortSignal, now = Date.now()): Promise<Omit<GarbageReport, 'ms'>> {
  const items: GarbageItem[] = []
  const problems = [...found.problems]
  for (const [index, candidate] of found.candidates.entries()) {
    if (signal.aborted) break
    if (index % batch === batch - 1) await setImmediate()
    try {
      if (await removeOne(candidate, now)) items.push(candidate.item)
    } catch (error) {
      // Somebody else was first.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      if (problems.length < maxProblems) problems.push(`${candidate.entry.path} stays: ${(error as Error).message}`)
    }
  }
  return reportOf(items, problems)
}

export function reportOf(items: readonly GarbageItem[], problems: readonly string[]): Omit<GarbageReport, 'ms'> {
  return { items, files: items.length, bytes: items.reduce((sum, { bytes }) => sum + bytes, 0), problems }
}

async function removeOne({ rule, entry, root }: Candidate, now: number): Promise<boolean> {
  const { path } = entry
  if (!isInside(root, await realpath(dirname(path))) || !(await itemOf(rule, entry, now))) return false
  if (entry.kind === 'file') await unlink(path)
  // Fails where something has come in, which is what is wanted.
  else if (rule.what === 'empty-folder') await rmdir(path)
  else await rm(path, { recursive: true })
  return true
}

/** The entry as garbage under a rule, or undefined when it is none. */
async function itemOf(rule: GarbageRule, entry: Entry, now: number): Promise<GarbageItem | undefined> {
  const { what = 'file' } = rule
  if ((what === 'file') !== (entry.kind === 'file') || !rule.matches(entry.name)) return undefined
  if (what === 'empty-folder' && (await readdir(entry.path).catch(() => ['?'])).length > 0) return undefined
  const measured = await measure(entry, rule.root === 'cache')
  if (measured === undefined) return undefined
  const age = Math.round(now - measured.touched)
  return age > rule.olderThan ? { rule: rule.id, path: entry.path, bytes: measured.bytes, age } : undefined
}
