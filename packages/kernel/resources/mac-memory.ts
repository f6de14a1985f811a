import { execFileSync } from 'node:child_process'

// Node's `freemem` counts only untouched pages on macOS, of which there are few by design: most memory holds what can go at once.

/** The answer of `vm_stat` → bytes that a program could take; undefined when it is no such answer. */
export function availableOfVmStat(text: string): number | undefined {
  const page = Number(/page size of (\d+) bytes/.exec(text)?.[1])
  const pages = ['free', 'inactive', 'speculative', 'purgeable'].map((kind) =>
    Number(new RegExp(`^Pages ${kind}:\\s+(\\d+)\\.?$`, 'm').exec(text)?.[1] ?? 0),
  )
  const bytes = page * pages.reduce((sum, count) => sum + count, 0)
  return bytes > 0 ? bytes : undefined
}

// Asking starts a process; what it said is good for this long.
const freshMs = 1_000

/** Free memory on macOS, at most a second old. */
export class MacMemory {
  #bytes: number | undefined
  #asked = Number.NEGATIVE_INFINITY

  get available(): number | undefined {
    if (performance.now() - this.#asked < freshMs) return this.#bytes
    this.#asked = performance.now()
    try {
      this.#bytes = availableOfVmStat(execFileSync('/usr/bin/vm_stat', { encoding: 'utf8', timeout: 1_000 }))
    } catch {
      this.#bytes = undefined
    }
    return this.#bytes
  }
}
