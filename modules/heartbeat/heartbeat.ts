import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Heartbeat as Beat } from '@enigma/contracts'
import { enigmaFolders, writeAtomic } from '@enigma/files'
import type { Health, ModuleContext } from '@enigma/kernel'
import { parseInterval, wrong } from './interval.js'
import type { HeartbeatConfig, HeartbeatService } from './types.js'
import { cpu, memory, statusOf } from './vitals.js'

type Host = Pick<ModuleContext<HeartbeatConfig>, 'effect' | 'events' | 'log'>

/** Where the file is, unless the config says otherwise. */
export function defaultPath(): string {
  return join(enigmaFolders().state, 'heartbeat.json')
}

/** Writes a beat at an interval. */
export class Heartbeat implements HeartbeatService {
  readonly #host: Host
  #config: HeartbeatConfig
  /** Milliseconds. */
  #interval: number
  #cancel: (() => unknown) | undefined
  #writing: Promise<void> | undefined
  #last: Beat | undefined
  /** When it began or last wrote, on the clock that never jumps. */
  #aliveAt = 0
  #problem: string | undefined

  /** @throws ModuleError `BAD_CONFIG` */
  constructor(host: Host, config: HeartbeatConfig) {
    this.#host = host
    this.#interval = intervalOf(config)
    this.#config = config
  }

  get path(): string {
    return this.#config.outputPath ?? defaultPath()
  }

  isRunning(): boolean {
    return this.#cancel !== undefined
  }

  last(): Beat | undefined {
    return this.#last
  }

  async start(): Promise<void> {
    if (this.isRunning()) return
    this.#run()
    await this.beat()
  }

  async stop(): Promise<void> {
    await this.#cancel?.()
  }

  beat(): Promise<void> {
    // A slow disk makes beats fewer, not overlapping.
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  /** @throws ModuleError `BAD_CONFIG`; then nothing has changed */
  configure(config: HeartbeatConfig): void {
    this.#interval = intervalOf(config)
    this.#config = config
    if (!this.isRunning()) return
    void this.#cancel?.()
    this.#run()
    void this.beat()
  }

  health(): Health {
    if (!this.isRunning()) return { status: 'unhealthy', message: 'Heartbeat is not running' }
    const silent = performance.now() - this.#aliveAt
    const why = this.#problem === undefined ? '' : `: ${this.#problem}`
    if (silent > 2 * this.#interval) return { status: 'unhealthy', message: `Heartbeat is stale, ${seconds(silent)} old${why}` }
    if (this.#problem !== undefined) return { status: 'degraded', message: `The last beat was not written${why}` }
    return { status: this.#last?.status ?? 'healthy', message: `Beating every ${this.#config.interval}` }
  }

  #run(): void {
    this.#aliveAt = performance.now()
    this.#cancel = this.#host.effect(`beat every ${this.#config.interval}`, () => {
      // A program does not stay alive only to say that it is.
      const timer = setInterval(() => void this.beat(), this.#interval).unref()
      return () => {
        clearInterval(timer)
        this.#cancel = undefined
        return this.#writing
      }
    })
  }

  async #write(): Promise<void> {
    const path = this.path
    const beat = this.#measure()
    try {
      await writeAtomic(path, `${JSON.stringify(beat, null, 2)}\n`)
    } catch (error) {
      const problem = (error as Error).message
      // Said once, when it begins.
      if (this.#problem === undefined) this.#host.log.error(`The heartbeat cannot be written to ${path}: ${problem}`)
      this.#problem = problem
      return
    }
    if (this.#problem !== undefined) this.#host.log.info(`The heartbeat is written to ${path} again`)
    this.#problem = undefined
    this.#last = beat
    this.#aliveAt = performance.now()
    this.#host.events.emit('heartbeat.beat', beat)
  }

  #measure(): Beat {
    const used = { memory: memory(), cpu: cpu() }
    const all: Required<Omit<Beat, 'pid' | 'interval'>> = {
      timestamp: new Date().toISOString(),
      status: statusOf({ memory: used.memory.percentage, cpu: used.cpu.usage }),
      uptime: Math.round(process.uptime()),
      ...used,
      version,
    }
    const wanted = this.#config.includeMetrics.map((name) => [name, all[name]])
    return { ...(Object.fromEntries(wanted) as Partial<typeof all>), pid: process.pid, interval: this.#interval }
  }
}

/** Milliseconds. @throws ModuleError `BAD_CONFIG` for anything that is wrong with the config */
function intervalOf({ interval, outputPath }: HeartbeatConfig): number {
  if (outputPath === '') throw wrong('Heartbeat config missing required field: outputPath')
  return parseInterval(interval)
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`
