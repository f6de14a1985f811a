// Time limits. An operation past its limit gets the abort signal, then a grace period; if it ends in neither, it is left
// behind ("stuck") and the caller goes on.

/** The signal of one module's life. The AbortController is made when somebody asks for the signal, not before. */
export class Lifeline {
  #controller: AbortController | undefined
  #ended = false
  #reason: unknown
  /** Under way; interrupted when the life ends. */
  operation: { interrupt(reason: unknown): void } | undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#ended) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }

  /** What it was ended with. */
  get reason(): unknown {
    if (typeof this.#reason === 'function') this.#reason = (this.#reason as () => unknown)()
    return this.#reason
  }

  get ended(): boolean {
    return this.#ended
  }

  /** A function is asked for the reason only if somebody wants to know it: an error's stack is dear. */
  end(reason: unknown | (() => unknown)): void {
    if (this.#ended) return
    this.#ended = true
    this.#reason = reason
    this.#controller?.abort(this.reason)
    this.operation?.interrupt(this.reason)
  }
}

/** Milliseconds. */
export interface Limit {
  /** Until the signal is aborted. */
  readonly ms: number
  /** Until `onSlow`. */
  readonly warn: number
  /** From the abort until the operation is given up. */
  readonly grace: number
  /** Asked for when there is something to tell: most operations end in time. */
  readonly told: () => Told
}

/** Who is told of an operation that does not end in time. */
export interface Told {
  onSlow(ms: number): void
  /** The error of an operation past its limit. */
  onTimeout(): Error
  /** The operation was given up; `settled` says when it ends after all. */
  onStuck(settled: Promise<void>): void
}

/**
 * Bounds what an operation answered.
 * Ending the lifeline from outside interrupts too (unless it had `ended` before the operation): the operation then has the
 * grace period to settle.
 */
export function withinLimit<T>(lifeline: Lifeline, result: PromiseLike<T>, limit: Limit, ended = false): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const operation = new Operation(lifeline, limit, result, reject)
    // Ended from within the synchronous part of the operation.
    if (!ended && lifeline.ended) operation.interrupt(lifeline.reason)
    result.then(
      (value) => {
        operation.done()
        if (operation.late) reject(operation.reason as Error)
        else resolve(value)
      },
      (cause: unknown) => {
        operation.done()
        reject((operation.late ? operation.reason : cause) as Error)
      },
    )
  })
}

/** An operation under way. */
class Operation {
  readonly #lifeline: Lifeline
  readonly #limit: Limit
  readonly #result: PromiseLike<unknown>
  readonly #reject: (reason: Error) => void
  #timer: NodeJS.Timeout
  /** It was interrupted, with this reason. */
  late = false
  reason: unknown

  constructor(lifeline: Lifeline, limit: Limit, result: PromiseLike<unknown>, reject: (reason: Error) => void) {
    this.#lifeline = lifeline
    this.#limit = limit
    this.#result = result
    this.#reject = reject
    this.#timer = limit.ms <= limit.warn ? setTimeout(expire, limit.ms, this) : setTimeout(warn, limit.warn, this)
    lifeline.operation = this
  }

  warn(): void {
    const { ms, warn, told } = this.#limit
    told().onSlow(warn)
    this.#timer = setTimeout(expire, ms - warn, this)
  }

  expire(): void {
    const reason = this.#limit.told().onTimeout()
    this.#lifeline.end(reason)
    // A life that had ended before (an unload in progress) interrupts nothing by itself.
    this.interrupt(reason)
  }

  interrupt(reason: unknown): void {
    if (this.late) return
    this.late = true
    this.reason = reason
    clearTimeout(this.#timer)
    this.#timer = setTimeout(giveUp, this.#limit.grace, this)
  }

  giveUp(): void {
    const settled = () => undefined
    this.#limit.told().onStuck(this.#result.then(settled, settled) as Promise<void>)
    this.done()
    this.#reject(this.reason as Error)
  }

  done(): void {
    clearTimeout(this.#timer)
    this.#lifeline.operation = undefined
  }
}

const warn = (operation: Operation) => operation.warn()
const expire = (operation: Operation) => operation.expire()
const giveUp = (operation: Operation) => operation.giveUp()
