interface Waiting {
  readonly enter: () => void
}

/** Lets one request in at a time, first come first served. */
export class RequestQueue {
  readonly #line: Waiting[] = []
  #busy = false
  #whenIdle: (() => void)[] = []

  get busy(): boolean {
    return this.#busy
  }

  get waiting(): number {
    return this.#line.length
  }

  /** Runs `work` when it is its turn. Rejects with the signal's reason when that comes first; then `work` never runs. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#busy) await this.#turn(signal)
    this.#busy = true
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** Resolves when nobody is in and nobody waits. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #turn(signal: AbortSignal): Promise<void> {
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

  // The next one is let in at once: `busy` stays true meanwhile, so that nobody slips in between.
  #leave(): void {
    const next = this.#line.shift()
    if (next) {
      next.enter()
      return
    }
    this.#busy = false
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
