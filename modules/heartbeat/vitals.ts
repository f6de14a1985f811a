import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import type { Heartbeat } from '@enigma/contracts'

// How the machine (or the container) is, in numbers and in one word.

type Memory = NonNullable<Heartbeat['memory']>
type Cpu = NonNullable<Heartbeat['cpu']>
export type Status = NonNullable<Heartbeat['status']>

/** Above these percentages; the first that holds is the answer. */
const thresholds: readonly { readonly of: 'memory' | 'cpu'; readonly above: number; readonly is: Status }[] = [
  { of: 'memory', above: 90, is: 'unhealthy' },
  { of: 'memory', above: 80, is: 'degraded' },
  { of: 'cpu', above: 90, is: 'degraded' },
]

/** Both in percent. */
export function statusOf(used: { readonly memory: number; readonly cpu: number }): Status {
  return thresholds.find(({ of, above }) => used[of] > above)?.is ?? 'healthy'
}

/** Of the container where one sets a limit, else of the machine. File caches count as free: the system gives them up. */
export function memory(): Memory {
  const limit = process.constrainedMemory()
  const limited = limit !== undefined && limit > 0 && limit < totalmem()
  const total = limited ? limit : totalmem()
  const free = Math.min(total, process.availableMemory() + (limited ? reclaimable() : 0))
  return { used: megabytes(total - free), total: megabytes(total), percentage: round(((total - free) / total) * 100) }
}

/** The load of the last minute against the cores. Windows has no load average: 0 there. */
export function cpu(): Cpu {
  const [one = 0, five = 0, fifteen = 0] = loadavg()
  return { usage: round(Math.min(100, (one / availableParallelism()) * 100)), loadAverage: [one, five, fifteen].map(round) }
}

/** Bytes of file cache that a container's own count takes for used. */
function reclaimable(): number {
  for (const path of ['/sys/fs/cgroup/memory.stat', '/sys/fs/cgroup/memory/memory.stat']) {
    try {
      return Number(/^(?:total_)?inactive_file (\d+)/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
    } catch {
      // The other version of control groups, or none.
    }
  }
  return 0
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20)
const round = (value: number) => Math.round(value * 100) / 100
