/** Tokens per second over the time since the last report, and what that makes of the rest of the run. */
export class Throughput {
  #since = performance.now()
  #tokens = 0
  #overall = 0
  readonly #started = performance.now()

  add(tokens: number): void {
    this.#tokens += tokens
    this.#overall += tokens
  }

  /** Time that is not training (validation, samples, checkpoints) does not count. */
  async pausedDuring<T>(work: () => Promise<T>): Promise<T> {
    const before = performance.now()
    try {
      return await work()
    } finally {
      this.#since += performance.now() - before
    }
  }

  /** Rate since the last call, in tokens per second. */
  take(): number {
    const now = performance.now()
    const rate = (this.#tokens / Math.max(1, now - this.#since)) * 1000
    this.#since = now
    this.#tokens = 0
    return rate
  }

  /** Seconds that `tokens` more will take at the pace so far, pauses included. */
  eta(tokens: number): number {
    if (this.#overall === 0) return Number.POSITIVE_INFINITY
    return (tokens / this.#overall) * ((performance.now() - this.#started) / 1000)
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }
}
