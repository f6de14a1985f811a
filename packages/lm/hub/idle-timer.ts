import { isFault } from '../errors.js'
import { TransientError } from './hub-request.js'

/** Ends a request when the user does, or when nothing has come for a while. */
export class IdleTimer implements Disposable {
  readonly #controller = new AbortController()
  readonly #timeout: number
  readonly #stop: AbortSignal
  #timer: NodeJS.Timeout | undefined

  constructor(timeout: number, stop: AbortSignal) {
    this.#timeout = timeout
    this.#stop = stop
    stop.addEventListener('abort', this.#abort)
    this.restart()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  restart(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#abort, this.#timeout)
  }

  /** What a failure means: that it was stopped, that nothing came, that the connection broke, or what has a code of its own. */
  reasonOf(error: unknown): unknown {
    if (this.#stop.aborted) return this.#stop.reason
    if (this.signal.aborted) return new TransientError(`Nothing came for ${this.#timeout / 1000} s`)
    if (error instanceof TransientError || isFault(error)) return error
    return new TransientError(`The connection broke (${error instanceof Error ? error.message : error})`, { cause: error })
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#stop.removeEventListener('abort', this.#abort)
  }

  readonly #abort = () => this.#controller.abort()
}
