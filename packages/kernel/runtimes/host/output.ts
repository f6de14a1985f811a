import type { Readable } from 'node:stream'
import type { ModuleLog } from '../../lifecycle/context.js'
import { lineReader } from '../wire/channel.js'
import type { Output } from './link.js'

// What a module prints becomes log lines: bounded in length and number, so that a module that prints for ever harms nobody.

const maxLine = 4096
const linesPerSecond = 200
/** The last lines of standard error are kept, to tell why it crashed. */
const kept = 20

/** Cuts a stream into lines; longer ones are cut off. */
export function readLines(stream: Readable, take: (line: string) => void): void {
  stream.on(
    'data',
    lineReader(maxLine, take, (start) => take(`${start.slice(0, maxLine)}…`)),
  )
  stream.on('error', () => undefined)
}

export class OutputLog {
  readonly #last: string[] = []
  readonly #early: [level: 'info' | 'warn', line: string][] = []
  #log: ModuleLog | undefined
  #second = 0
  // Each stream has its own share: a flood on one does not drown what the other says.
  #lines = { info: 0, warn: 0 }
  #dropped = 0

  readonly take: Output = (stream, line) => {
    if (stream === 'stderr') {
      this.#last.push(line)
      if (this.#last.length > kept) this.#last.shift()
    }
    const level = stream === 'stderr' ? 'warn' : 'info'
    if (!this.#admit(level)) return
    if (this.#log) this.#log[level](line)
    else if (this.#early.filter(([other]) => other === level).length < kept) this.#early.push([level, line])
  }

  /** From here on lines go to `log`; earlier ones first. */
  attach(log: ModuleLog): void {
    this.#log = log
    for (const [level, line] of this.#early.splice(0)) log[level](line)
  }

  /** What it said last on standard error, without the frames of stacks. */
  get last(): string {
    const lines = this.#last.map((line) => line.trim()).filter((line) => line !== '' && !noise.test(line))
    return lines.slice(-4).join(' | ').slice(0, 600)
  }

  get outOfMemory(): boolean {
    return this.#last.some((line) => /heap out of memory|Array buffer allocation failed|MemoryError|Fatal process OOM/.test(line))
  }

  #admit(level: 'info' | 'warn'): boolean {
    const now = Math.floor(performance.now() / 1000)
    if (now !== this.#second) {
      if (this.#dropped > 0) this.#log?.warn(`${this.#dropped} more lines of output were left out`)
      this.#second = now
      this.#lines = { info: 0, warn: 0 }
      this.#dropped = 0
    }
    if (++this.#lines[level] <= linesPerSecond) return true
    this.#dropped++
    return false
  }
}

const noise = /^(at |\^|Node\.js v|\d+: 0x|node:internal|-----|<---|---->|\[\d+:0x)/
