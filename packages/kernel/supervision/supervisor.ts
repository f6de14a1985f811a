import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'
import type { EventBus } from '../events/events.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { Quarantine } from './quarantine.js'
import {
  type CrashHistory,
  defaultPolicy,
  nextAttempt,
  noCrashes,
  type RestartPolicy,
  waitBefore,
  wantsRestart,
} from './restart-policy.js'

// Starts modules again that ended by themselves, as their manifests ask for, and gives up on those that keep crashing.

export interface SupervisorHost {
  readonly bus: EventBus
  readonly records: ReadonlyMap<string, ModuleRecord>
  /**
   * Loads the module with the config it had, in its turn after other work. False, and nothing is done, if it is up by then, or if
   * nobody waits for it any more.
   */
  restart(id: string, start: boolean, awaited: () => boolean): Promise<boolean>
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

// Somebody has decided otherwise meanwhile. All else that keeps a module from being loaded may pass, and says nothing against it.
const decided: ReadonlySet<ModuleErrorCode> = new Set([
  'CONFLICT',
  'CAPABILITY_TAKEN',
  'DISABLED',
  'QUARANTINED',
  'NOT_REGISTERED',
  'MANAGER_CLOSED',
])

export class Supervisor {
  readonly #host: SupervisorHost
  readonly #quarantine: Quarantine
  readonly #policy: RestartPolicy
  readonly #cases = new Map<string, Case>()
  #closed = false

  constructor(host: SupervisorHost, quarantine: Quarantine, policy: Partial<RestartPolicy> = {}) {
    this.#host = host
    this.#quarantine = quarantine
    this.#policy = { ...defaultPolicy, ...policy }
  }

  /** A module that was up ended by itself, and is about to be undone. */
  crashed(record: ModuleRecord, clean: boolean): void {
    if (record.manifest.lifecycle.restart === 'never') return
    const known = this.#cases.get(record.id)
    clearTimeout(known?.timer)
    this.#cases.set(record.id, {
      history: known?.history ?? noCrashes,
      ranFor: performance.now() - (record.begun ?? 0) - (record.loadMs ?? 0) - (record.startMs ?? 0),
      active: record.state === 'active',
      clean,
      falling: true,
      timer: undefined,
    })
  }

  /** A module is in `error`, and undone: it can be loaded again. */
  fallen(record: ModuleRecord): void {
    const fall = this.#cases.get(record.id)
    if (!fall?.falling) return
    fall.falling = false
    if (wantsRestart(record.manifest.lifecycle.restart, fall.clean)) this.#next(record.id, fall, messageOf(record.error))
    else this.#cases.delete(record.id)
  }

  /** Somebody else took the module in hand (unloaded, disabled, reset): no attempt follows. */
  release(id: string): void {
    clearTimeout(this.#cases.get(id)?.timer)
    this.#cases.delete(id)
  }

  /** No attempt follows any more. */
  close(): void {
    this.#closed = true
    for (const id of [...this.#cases.keys()]) this.release(id)
  }

  /** After a crash: the next attempt, or none any more. */
  #next(id: string, fall: Case, message: string): void {
    const next = nextAttempt(fall.history, performance.now(), fall.ranFor, Math.random(), this.#policy)
    if (next.restart) {
      fall.history = next.history
      this.#schedule(id, fall, next.attempt, next.delayMs)
    } else this.#giveUp(id, next.crashes, message)
  }

  #schedule(id: string, fall: Case, attempt: number, delayMs: number): void {
    if (this.#closed) return
    this.#host.bus.emit('module.restarting', { id, attempt, delayMs })
    fall.timer = setTimeout(() => void this.#attempt(id, fall), delayMs)
  }

  async #attempt(id: string, fall: Case): Promise<void> {
    // Taken in hand meanwhile, or crashed again: that has its own course.
    const awaited = () => this.#cases.get(id) === fall && !fall.falling && !this.#closed
    const failure = () => this.#host.records.get(id)?.error
    const before = failure()
    try {
      if (await this.#host.restart(id, fall.active, awaited))
        this.#host.bus.emit('module.restarted', { id, attempt: fall.history.attempts })
    } catch (error) {
      if (!awaited()) return
      const after = failure()
      if (after !== undefined && after !== before) {
        // Its own code failed: as good as a crash.
        fall.ranFor = 0
        this.#next(id, fall, messageOf(error))
      } else if (error instanceof ModuleError && !decided.has(error.code)) {
        const { attempts } = fall.history
        fall.history = { ...fall.history, attempts: attempts + 1 }
        this.#schedule(id, fall, attempts + 1, waitBefore(attempts, Math.random(), this.#policy))
        // The few waits after crashes hold the process, as the module would: often it is all that runs. These may go on for ever.
        fall.timer?.unref()
      } else {
        this.release(id)
        this.#host.bus.emit('module.restart-dropped', { id, message: messageOf(error) })
      }
    }
  }

  #giveUp(id: string, crashes: readonly number[], message: string): void {
    this.#cases.delete(id)
    const minutes = Math.max(1, Math.ceil((crashes.at(-1)! - crashes[0]!) / 60_000))
    const reason = `It crashed ${crashes.length} times in ${minutes} min, last: ${message}`
    const version = this.#host.records.get(id)?.manifest.version ?? ''
    const entry = { id, version, reason, since: new Date().toISOString() }
    // Told when it is on disk: from then on it outlives the process.
    const told = () => void this.#host.bus.emit('module.quarantined', { id, reason })
    this.#quarantine.add(entry).then(told, (error: unknown) => {
      this.#host.bus.emit('manager.warning', { code: 'QUARANTINE_FILE', message: messageOf(error) })
      told()
    })
  }
}
