import { readFile, stat } from 'node:fs/promises'
import type { Heartbeat } from '@enigma/contracts'
import { isAlive } from '@enigma/files'

// The heartbeat as another process sees it: through its file.

/** `running`: fresh and its process lives; `stale`: the process lives and writes no more; `stopped`: the process is gone. */
export type Pulse = 'running' | 'stale' | 'stopped' | 'missing' | 'damaged'

export interface HeartbeatReport {
  readonly pulse: Pulse
  readonly path: string
  /** Seconds since the last beat. */
  readonly age?: number
  readonly beat?: Heartbeat
}

/** Never throws for what is in the file, or not there. */
export async function readBeat(path: string, now = Date.now()): Promise<HeartbeatReport> {
  let text: string
  let age: number
  try {
    text = await readFile(path, 'utf8')
    // The file's own time: a beat need not tell it.
    age = Math.max(0, now - (await stat(path)).mtimeMs)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { pulse: 'missing', path }
    throw error
  }
  const beat = parse(text)
  const report = { path, age: Math.round(age / 1000) }
  if (beat === undefined) return { pulse: 'damaged', ...report }
  const pulse = !isAlive(beat.pid) ? 'stopped' : age > 2 * beat.interval ? 'stale' : 'running'
  return { pulse, ...report, beat }
}

function parse(text: string): Heartbeat | undefined {
  try {
    const value = JSON.parse(text) as Partial<Heartbeat> | null
    const { pid, interval } = value ?? {}
    if (typeof value === 'object' && Number.isInteger(pid) && pid! > 0 && typeof interval === 'number') return value as Heartbeat
  } catch {
    // Said by the caller.
  }
  return undefined
}
