import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { EventBus } from '../events/events.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { Quarantine } from './quarantine.js'
import { type CrashHistory, defaultPolicy, nextAttempt, noCrashes, type RestartPolicy, waitBefore, wantsRestart } from './restart-policy.js'

// Starts modules again that ended by themselves, as their manifests ask for, and gives up on those that keep crashing.

export interface SupervisorHost {
  readonly bus: EventBus
  readonly records: ReadonlyMap<string, ModuleRecord>
  /** Loads the module with the config it had, in its turn after other work; `start` as it was. */
  restart(record: ModuleRecord, start: boolean): Promise<void>
}

/** One module that is being brought back. */
interface Case {
  history: CrashHistory
  /** Milliseconds it ran before the last crash. */
  ranFor: number
  /** Whether it was active. */
  active: boolean
  clean: boolean
  /** It has said that it crashed, and is being undone. */
  falling: boolean
  timer: NodeJS.Timeout | undefined
}

// The machine or another module is in the way: that may pass, and says nothing against the module.
const passing: ReadonlySet<ModuleErrorCode> = new Set(['NO_RAM', 'NO_VRAM', 'NO_PROVIDER', 'REQUIREMENT_MISSING'])

export class Supervisor {
  readonly #host: SupervisorHost
  readonly #quarantine: Quarantine
  readonly #policy: RestartPolicy
  readonly #cases = new Map<string, Case>()
  readonly #unsubscribe: readonly (() => void)[]
  #closed = false

  constructor(host: SupervisorHost, quarantine: Quarantine, policy: Partial<RestartPolicy> = {}) {
    this.#host = host
    this.#quarantine = quarantine
    this.#policy = { ...defaultPolicy, ...policy }
    this.#unsubscribe = [
      host.bus.on('module.crashed', ({ id, clean }) => this.#crashed(id, clean)),
      // Only now it is undone, and can be loaded again.
      host.bus.on('module.error', ({ id }) => this.#fallen(id)),
    ]
  }

  /** Somebody else took the module in hand (unloaded, disabled, reset): no attempt follows. */
  release(id: string): void {
    clearTimeout(this.#cases.get(id)?.timer)
    this.#cases.delete(id)
  }

  /** No attempt follows any more. */
  close(): void {
    this.#closed = true
    for (const off of this.#unsubscribe) off()
    for (const id of [...this.#cases.keys()]) this.release(id)
  }

  #crashed(id: string, clean: boolean): void {
    const record = this.#host.records.get(id)
    if (record === undefined || record.manifest.lifecycle.restart === 'never') return
    const known = this.#cases.get(id)
    clearTimeout(known?.timer)
    this.#cases.set(id, {
      history: known?.history ?? noCrashes,
      ranFor: performance.now() - (record.begun + record.loadMs + record.startMs),
      active: record.state === 'active',
      clean,
      falling: true,
      timer: undefined,
    })
  }

  #fallen(id: string): void {
    const fall = this.#cases.get(id)
    const record = this.#host.records.get(id)
    if (!fall?.falling || record === undefined) return
    fall.falling = false
    if (wantsRestart(record.manifest.lifecycle.restart, fall.clean)) this.#next(record, fall, messageOf(record.error))
    else this.#cases.delete(id)
  }

  /** After a crash: the next attempt, or none any more. */
  #next(record: ModuleRecord, fall: Case, message: string): void {
    const next = nextAttempt(fall.history, Date.now(), fall.ranFor, Math.random(), this.#policy)
    if (!next.restart) return this.#giveUp(record, next.crashes, message)
    fall.history = next.history
    this.#schedule(record, fall, next.attempt, next.delayMs)
  }

  #schedule(record: ModuleRecord, fall: Case, attempt: number, delayMs: number): void {
    if (this.#closed) return
    this.#host.bus.emit('module.restarting', { id: record.id, attempt, delayMs })
    fall.timer = setTimeout(() => void this.#attempt(record, fall), delayMs)
    // Waiting to start something again is no reason for a process to stay.
    fall.timer.unref()
  }

  async #attempt(record: ModuleRecord, fall: Case): Promise<void> {
    try {
      await this.#host.restart(record, fall.active)
    } catch (error) {
      // Taken in hand meanwhile, or crashed again right after: that has its own course.
      if (this.#cases.get(record.id) !== fall || fall.falling || this.#closed) return
      const code = error instanceof ModuleError ? error.code : undefined
      if (record.state === 'error' && record.error === error) {
        fall.ranFor = 0
        this.#next(record, fall, messageOf(error))
      } else if (code !== undefined && passing.has(code)) {
        const attempts = fall.history.attempts + 1
        fall.history = { ...fall.history, attempts }
        this.#schedule(record, fall, attempts, waitBefore(attempts - 1, Math.random(), this.#policy))
      } else {
        this.release(record.id)
        this.#host.bus.emit('module.restart-failed', { id: record.id, message: messageOf(error) })
      }
    }
  }

  #giveUp(record: ModuleRecord, crashes: readonly number[], message: string): void {
    const { id, manifest } = record
    this.#cases.delete(id)
    const minutes = Math.max(1, Math.ceil((crashes.at(-1)! - crashes[0]!) / 60_000))
    const reason = `It crashed ${crashes.length} times in ${minutes} min, last: ${message}`
    const entry = { id, version: manifest.version, reason, since: new Date().toISOString() }
    this.#quarantine.add(entry).catch((error: unknown) => {
      this.#host.bus.emit('manager.warning', { code: 'QUARANTINE_FILE', message: messageOf(error) })
    })
    this.#host.bus.emit('module.quarantined', { id, reason })
  }
}
