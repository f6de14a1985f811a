/** Runs something now and then without keeping the process alive; never twice at a time. Off with an interval of 0. */
export class Pulse {
  readonly #work: () => Promise<void>
  readonly #interval: number
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param interval milliseconds from the end of one run to the begin of the next */
  constructor(interval: number, work: () => Promise<void>) {
    this.#interval = interval
    this.#work = work
  }

  /** Begins, if it has not. Called when there is something to look at: an idle manager has no timer. */
  begin(): void {
    if (this.#timer !== undefined || this.#closed || this.#interval <= 0) return
    this.#timer = setTimeout(() => void this.#run(), this.#interval)
    this.#timer.unref()
  }

  /** Until the next `begin`. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  close(): void {
    this.#closed = true
    this.pause()
  }

  async #run(): Promise<void> {
    await this.#work()
    if (this.#timer === undefined) return
    this.#timer = undefined
    this.begin()
  }
}
