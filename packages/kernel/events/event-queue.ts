import { ModuleError } from '../errors.js'
import { isThenable } from '../lifecycle/thenable.js'
import type { OverflowPolicy } from './event-map.js'

// The queue of one subscription: its handler gets the events one at a time, each after the one before has settled.

export interface QueueOptions {
  /** Events that may wait, 1 to 65536; default 1024. */
  size?: number
  /** Default `drop-oldest`. */
  overflow?: OverflowPolicy
  /** Milliseconds for which `emitAsync` waits for room (`block`) before the event is refused; default 30 000. */
  patience?: number
}

/** What a queue asks of the bus. */
export interface QueueOwner {
  /** Runs the handler. */
  run(payload: unknown, name: string): unknown
  settled(): void
  failed(name: string, error: unknown): void
  /** `lost` events since the queue was last empty, `dropped` in all. */
  overflowed(name: string, lost: number, dropped: number): void
}

interface Waiter {
  readonly payload: unknown
  readonly name: string
  readonly timer: NodeJS.Timeout
  readonly accept: () => void
  readonly refuse: (error: ModuleError) => void
}

const policies: readonly OverflowPolicy[] = ['drop-oldest', 'drop-newest', 'latest', 'block']
const maxSize = 65_536
/** Events after which a queue lets the rest of the program run. */
const batch = 64

export class EventQueue {
  readonly size: number
  readonly overflow: OverflowPolicy
  readonly #patience: number
  readonly #label: string
  readonly #owner: QueueOwner
  /** What waits, from `#head` on. */
  #waiting: { name: string; payload: unknown }[] = []
  #head = 0
  /** Calls of `emitAsync` that wait for room, oldest first; as many as the queue is long. */
  #blocked: Waiter[] = []
  #running = false
  #closed = false
  /** Events lost since the queue was last empty, and how many of them the owner knows of. */
  #lost = 0
  #told = 0
  #dropped = 0
  #lastLost = ''

  /** @throws ModuleError `BAD_SUBSCRIPTION` */
  constructor(label: string, options: QueueOptions, owner: QueueOwner) {
    this.#label = label
    this.#owner = owner
    this.size = options.size ?? 1024
    this.overflow = options.overflow ?? 'drop-oldest'
    this.#patience = options.patience ?? 30_000
    const wrong =
      !Number.isInteger(this.size) || this.size < 1 || this.size > maxSize
        ? `'size' must be a whole number from 1 to ${maxSize}`
        : !policies.includes(this.overflow)
          ? `'overflow' must be one of ${policies.join(', ')}`
          : !(this.#patience >= 0 && this.#patience <= 2 ** 31 - 1)
            ? `'patience' must be milliseconds from 0 to ${2 ** 31 - 1}`
            : undefined
    if (wrong !== undefined) throw new ModuleError('BAD_SUBSCRIPTION', `The queue of ${label}: ${wrong}.`)
  }

  /** Events that wait. */
  get length(): number {
    return this.#waiting.length - this.#head
  }

  /** Events lost since the subscription began. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes an event now; false when it is refused. */
  offer(payload: unknown, name: string): boolean {
    if (this.#closed) return false
    if (this.length < this.size && this.#blocked.length === 0) this.#push(payload, name)
    else if (this.overflow === 'drop-oldest') {
      this.#lose(this.#shift().name, 1)
      this.#push(payload, name)
    } else if (this.overflow === 'latest') {
      const waiting = this.length
      this.#clear()
      this.#lose(name, waiting)
      this.#push(payload, name)
    } else {
      this.#lose(name, 1)
      return false
    }
    return true
  }

  /**
   * Takes an event; with `block`, once there is room.
   * @throws ModuleError `QUEUE_FULL`; `CANCELLED` when the subscription ends meanwhile
   */
  accept(payload: unknown, name: string): Promise<void> | undefined {
    const full = this.length >= this.size || this.#blocked.length > 0
    if (this.overflow === 'block' && full && this.#blocked.length < this.size) return this.#wait(payload, name)
    if (!this.offer(payload, name)) throw this.#closed ? this.#ended() : this.#refusal(name)
    return undefined
  }

  /** Forgets what waits; the handler is not called again. */
  close(): void {
    this.#closed = true
    this.#clear()
    for (const { timer, refuse } of this.#blocked.splice(0)) {
      clearTimeout(timer)
      refuse(this.#ended())
    }
  }

  #wait(payload: unknown, name: string): Promise<void> {
    return new Promise((accept, refuse) => {
      const timer = setTimeout(() => {
        this.#blocked.splice(this.#blocked.indexOf(waiter), 1)
        this.#lose(name, 1)
        refuse(this.#refusal(name))
      }, this.#patience)
      const waiter: Waiter = { payload, name, timer, accept, refuse }
      this.#blocked.push(waiter)
    })
  }

  #push(payload: unknown, name: string): void {
    this.#waiting.push({ name, payload })
    if (this.#running) return
    this.#running = true
    queueMicrotask(() => void this.#drain())
  }

  #shift(): { name: string; payload: unknown } {
    const first = this.#waiting[this.#head]!
    this.#head++
    // The front is cut off when it is half of the array: each event is moved once at most.
    if (this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return first
  }

  #clear(): void {
    this.#waiting = []
    this.#head = 0
  }

  async #drain(): Promise<void> {
    for (let left = batch; this.length > 0; left--) {
      if (left === 0) {
        left = batch
        await new Promise((resolve) => setImmediate(resolve))
        if (this.length === 0) break
      }
      const { name, payload } = this.#shift()
      this.#admit()
      try {
        const result = this.#owner.run(payload, name)
        if (isThenable(result)) await result
        this.#owner.settled()
      } catch (error) {
        this.#owner.failed(name, error)
      }
    }
    this.#running = false
    if (this.#closed) return
    const lost = this.#lost
    const untold = lost - this.#told
    this.#lost = 0
    this.#told = 0
    if (untold > 0) this.#owner.overflowed(this.#lastLost, lost, this.#dropped)
  }

  #admit(): void {
    const next = this.#blocked.shift()
    if (next === undefined) return
    clearTimeout(next.timer)
    this.#push(next.payload, next.name)
    next.accept()
  }

  #lose(name: string, count: number): void {
    this.#dropped += count
    this.#lastLost = name
    this.#lost += count
    if (this.#told > 0) return
    this.#told = this.#lost
    this.#owner.overflowed(name, this.#lost, this.#dropped)
  }

  #refusal(name: string): ModuleError {
    const fix = 'Emit more slowly, or give the subscription a longer queue.'
    return new ModuleError('QUEUE_FULL', `The queue of ${this.#label} is full (${this.size}): '${name}' was refused. ${fix}`)
  }

  #ended(): ModuleError {
    return new ModuleError('CANCELLED', `The subscription to ${this.#label} ended before its queue had room.`)
  }
}
