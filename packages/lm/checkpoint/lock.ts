import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, isRunning, writeError } from '@enigma/tensor/formats'
import { LmError } from '../errors.js'

const LOCK = 'enigma.lock'
/** Held for the moment in which a dead holder's lock is exchanged. */
const TAKEOVER = 'enigma.lock.takeover'
/** A lock whose content is not there yet is being written; after this long its writer is dead. In ms. */
const WRITING = 2000

/** Who holds a folder. */
export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** What it is held for, as messages say it: `training`. */
  readonly purpose: string
  /** ISO time. */
  readonly since: string
}

/** A held folder. Release it, or hold it with `await using`; a process that dies lets go of it by dying. */
export interface FolderLock extends AsyncDisposable {
  readonly holder: LockHolder
  release(): Promise<void>
}

interface LockFile extends LockHolder {
  /** When the process began, by the system's clock: tells it from a later one with the same pid. Null where unknown. */
  readonly started: string | null
  readonly token: string
}

/**
 * Takes a folder (made if missing) for one process: `enigma.lock` in it names the holder. The lock of a dead process of
 * this machine is taken over.
 * @param purpose what the folder is held for, as another user reads it: `training`
 * @throws LmError FOLDER_LOCKED, naming the holder and what to do; TensorError NOT_WRITABLE, DISK_FULL, WRITE_FAILED
 */
export async function lockFolder(folder: string, purpose: string): Promise<FolderLock> {
  const path = join(folder, LOCK)
  const mine: LockFile = {
    pid: process.pid,
    host: hostname(),
    purpose,
    since: new Date().toISOString(),
    started: processStart(process.pid),
    token: randomBytes(8).toString('hex'),
  }
  try {
    await mkdir(folder, { recursive: true })
    while (!(await create(path, JSON.stringify(mine)))) {
      const held = await read(path)
      if (held !== 'gone' && !isStale(held)) throw lockedError(folder, held)
      if (held !== 'gone') await removeStale(folder)
    }
  } catch (error) {
    throw writeError(error, path)
  }
  const release = async () => {
    const held = await read(path)
    if (held !== 'gone' && held !== 'dead' && held.token === mine.token) await rm(path, { force: true })
  }
  return { holder: mine, release, [Symbol.asyncDispose]: release }
}

/** The living holder of a folder, or null: for those that only read it and want to say so. */
export async function lockHolder(folder: string): Promise<LockHolder | null> {
  const held = await read(join(folder, LOCK))
  return held === 'gone' || isStale(held) ? null : held
}

function lockedError(folder: string, { pid, host, purpose, since }: LockHolder): LmError {
  const who = `process ${pid}${host === hostname() ? '' : ` on ${host}`}`
  const fix = host === hostname() ? 'Wait for it or stop it' : `If it no longer runs there, delete ${join(folder, LOCK)}`
  return new LmError(
    'FOLDER_LOCKED',
    `${folder} is in use for ${purpose} by ${who} since ${since}. ${fix}, or use another folder`,
  )
}

/** Creates the lock if there is none: O_EXCL decides between two who try. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** The lock file's content; 'dead' if its writer was killed before it wrote. */
async function read(path: string): Promise<LockFile | 'gone' | 'dead'> {
  for (;;) {
    try {
      const held = parse(await readFile(path, 'utf8'))
      if (held) return held
      if (Date.now() - (await stat(path)).mtimeMs > WRITING) return 'dead'
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return 'gone'
      throw error
    }
    await sleep(20)
  }
}

function parse(text: string): LockFile | null {
  try {
    const { pid, host, purpose, since, started, token } = JSON.parse(text)
    const strings = [host, purpose, since, token].every((value) => typeof value === 'string')
    return strings && Number.isSafeInteger(pid)
      ? { pid, host, purpose, since, started: typeof started === 'string' ? started : null, token }
      : null
  } catch {
    return null
  }
}

function isStale(held: LockFile | 'dead'): held is 'dead' {
  if (held === 'dead') return true
  if (held.host !== hostname()) return false
  return !isRunning(held.pid) || (held.started !== null && held.started !== processStart(held.pid))
}

/**
 * Removes a dead holder's lock, under a second lock: of two who both saw the dead one, the slower must not remove
 * the lock that the faster has taken meanwhile.
 */
async function removeStale(folder: string): Promise<void> {
  const guard = join(folder, TAKEOVER)
  if (!(await create(guard, String(process.pid)))) {
    const age = await stat(guard).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > WRITING) await rm(guard, { force: true })
    else await sleep(20)
    return
  }
  try {
    const path = join(folder, LOCK)
    const held = await read(path)
    if (held !== 'gone' && isStale(held)) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

/** When a process began, in ticks since the machine did (Linux; elsewhere unknown). */
function processStart(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, the command in parentheses, may hold anything; the start is the 20th after it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
