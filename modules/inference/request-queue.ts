import { LmError } from '@enigma/lm'

interface Waiting {
  readonly enter: () => void
}

/** Lets so many requests in at a time, first come first served; so many more may wait. */
export class RequestQueue {
  readonly #places: number
  readonly #limit: number
  readonly #line: Waiting[] = []
  #busy = 0
  #whenIdle: (() => void)[] = []

  constructor(places: number, limit: number) {
    this.#places = places
    this.#limit = limit
  }

  /** Requests that are in. */
  get busy(): number {
    return this.#busy
  }

  get waiting(): number {
    return this.#line.length
  }

  /**
   * Runs `work` when it is its turn. Rejects with the signal's reason when that comes first; then `work` never runs.
   * @throws LmError QUEUE_FULL
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#busy < this.#places) this.#busy++
    else await this.#turn(signal)
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** Resolves when nobody is in and nobody waits. */
  idle(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#line.length >= this.#limit)
      throw new LmError(
        'QUEUE_FULL',
        `${this.#busy} requests are being answered and ${this.#line.length} wait; no more may. Try again later, or raise queueLimit (${this.#limit}).`,
      )
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#line.splice(this.#line.indexOf(waiting), 1)
        reject(signal.reason)
      }
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      this.#line.push(waiting)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  // The next one takes the place at once: it stays counted meanwhile, so that nobody slips in between.
  #leave(): void {
    const next = this.#line.shift()
    if (next) {
      next.enter()
      return
    }
    if (--this.#busy > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
