import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { enigmaFolders, RotatingFile } from '@enigma/files'
import { type ModuleContext, parseSize } from '@enigma/kernel'
import { journalLine, parseLine } from './journal-line.js'
import type { EventBusConfig, JournalEvent } from './types.js'

const fileName = 'events.jsonl'

export function journalFolder(): string {
  return join(enigmaFolders().state, 'events')
}

/** Writes the events of the pattern until the module goes. Returns the file, whose `problem` tells why it cannot be written. */
export function keepJournal(ctx: Pick<ModuleContext<EventBusConfig>, 'config' | 'events' | 'log' | 'onDispose'>): RotatingFile {
  const { pattern, maxSize, maxFiles } = ctx.config
  const file = new RotatingFile(journalFolder(), fileName, parseSize(maxSize)!, maxFiles)
  ctx.onDispose(() => file.close(), 'journal')
  const begun = Date.now().toString(36)
  let count = 0
  // What this handler sets off itself would come back to it without end.
  let busy = false
  ctx.events.on(pattern, (payload, event) => {
    if (busy || (event === 'log' && pattern !== 'log')) return
    busy = true
    const before = file.problem
    const id = `${begun}-${process.pid.toString(36)}-${(count++).toString(36)}`
    file.write(journalLine({ id, time: new Date().toISOString(), event, pid: process.pid }, payload))
    // Said once, when it begins.
    if (file.problem !== undefined && before === undefined)
      ctx.log.warn(`The journal ${file.path} cannot be written: ${file.problem}`)
    busy = false
  })
  return file
}

export interface JournalFiles {
  /** The current one first, then the rotated ones, newest first. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
}

export async function journalFiles(): Promise<JournalFiles> {
  const folder = journalFolder()
  const names = await readdir(folder).catch(() => [] as string[])
  const aged = names.flatMap((name) => {
    const match = /^events(?:\.(\d+))?\.jsonl$/.exec(name)
    return match ? [{ path: join(folder, name), age: Number(match[1] ?? 0) }] : []
  })
  const files = aged.sort((a, b) => a.age - b.age).map(async ({ path }) => ({ path, bytes: (await stat(path)).size }))
  return { files: await Promise.all(files) }
}

/** The events that a test lets through, newest first, until there are enough; damaged lines are left out. */
export async function readJournal(limit: number, wanted: (event: JournalEvent) => boolean): Promise<JournalEvent[]> {
  const found: JournalEvent[] = []
  for (const { path } of (await journalFiles()).files) {
    const lines = (await readFile(path, 'utf8')).split('\n')
    for (let at = lines.length - 1; at >= 0 && found.length < limit; at--) {
      const event = parseLine(lines[at]!)
      if (event && wanted(event)) found.push(event)
    }
  }
  return found
}

/** Empties it, also under a process that writes it: the file stays the one it has open. Returns the bytes that went. */
export async function clearJournal(): Promise<number> {
  const { files } = await journalFiles()
  for (const [at, { path }] of files.entries()) await (at === 0 && path.endsWith(fileName) ? truncate(path) : rm(path))
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
