import { createHash } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** What another machine left on a shared disk is taken for dead after this long, in ms. */
const FOREIGN_AGE = 24 * 3600_000

const PATTERN = /^\..+\.([0-9a-f]{8})-(\d+)-[0-9a-f]+\.tmp$/

/** The name of something half-written: hidden, and telling whose it is: `.model.safetensors.<host>-<pid>-<random>.tmp`. */
export function temporaryName(name: string, random: string): string {
  return `.${name}.${hostMark()}-${process.pid}-${random}.tmp`
}

/**
 * Removes from a folder what writers that no longer live left half-written. What a living process writes stays.
 * @returns the names removed
 */
export async function removeLeftovers(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const removed: string[] = []
  for (const name of names) {
    const match = PATTERN.exec(name)
    if (!match) continue
    const path = join(folder, name)
    const entry = await stat(path).catch(() => null)
    if (entry && isDead(match[1]!, Number(match[2]), entry.mtimeMs)) {
      // On a read-only disk a leftover stays where it is; it harms nobody.
      await rm(path, { recursive: true, force: true }).then(
        () => removed.push(name),
        () => undefined,
      )
    }
  }
  return removed
}

function isDead(host: string, pid: number, modified: number): boolean {
  if (host !== hostMark()) return Date.now() - modified > FOREIGN_AGE
  // In a container every run may have the same pid: what is older than this process was not written by it.
  if (pid === process.pid) return modified < performance.timeOrigin
  return !isRunning(pid)
}

/** Whether a process of this machine runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function hostMark(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
}
