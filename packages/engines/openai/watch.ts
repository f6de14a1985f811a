/** Ends a connection when its user does, or when nothing has come for too long. */
export class Watch implements Disposable {
  readonly #controller = new AbortController()
  readonly #signal: AbortSignal
  readonly #follow: () => void
  readonly #patience: number
  readonly #late: () => Error
  #timer: NodeJS.Timeout | undefined

  /**
   * @param patience ms without news
   * @param late the error for it
   */
  constructor(signal: AbortSignal, patience: number, late: () => Error) {
    this.#signal = signal
    this.#patience = patience
    this.#late = late
    this.#follow = () => this.#controller.abort(signal.reason)
    if (signal.aborted) this.#follow()
    signal.addEventListener('abort', this.#follow, { once: true })
    this.news()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something has come: the time begins anew. */
  news(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(this.#late()), this.#patience)
  }

  /** The time stands still until there is news. */
  rest(): void {
    clearTimeout(this.#timer)
  }

  /** Closes the connection, if it is still open. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#follow)
    this.#controller.abort()
  }
}
