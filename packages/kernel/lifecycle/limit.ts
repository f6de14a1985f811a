import { isThenable } from './thenable.js'

// Time limits. An operation past its limit gets the abort signal, then a grace period; if it ends in neither, it is left
// behind ("stuck") and the caller goes on.

/** The signal of one module's life. The AbortController is made when somebody asks for the signal, not before. */
export class Lifeline {
  #controller: AbortController | undefined
  #ended = false
  #reason: unknown
  /** Called when the life ends during an operation. */
  interrupt: ((reason: unknown) => void) | undefined

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
    this.interrupt?.(this.reason)
  }
}

export interface Limit {
  /** Milliseconds until the signal is aborted. */
  readonly ms: number
  /** Milliseconds until `onSlow`. */
  readonly warn: number
  /** Milliseconds from the abort until the operation is given up. */
  readonly grace: number
  onSlow(ms: number): void
  /** The error of an operation past its limit. */
  onTimeout(): Error
  /** The operation was given up; `settled` says when it ends after all. */
  onStuck(settled: Promise<void>): void
}

/**
 * Bounds what an operation answered. A value is returned as it is, without a timer.
 * Ending the lifeline from outside interrupts too (unless it had `ended` before the operation): the operation then has the
 * grace period to settle.
 */
export function withinLimit<T>(
  lifeline: Lifeline,
  result: T | PromiseLike<T>,
  makeLimit: () => Limit,
  ended = false,
): T | Promise<T> {
  if (!isThenable(result)) return result
  const limit = makeLimit()
  return new Promise<T>((resolve, reject) => {
    let error: unknown
    let late = false
    const giveUp = () => {
      limit.onStuck(
        result.then(
          () => undefined,
          () => undefined,
        ) as Promise<void>,
      )
      done()
      reject(error as Error)
    }
    const interrupt = (reason: unknown) => {
      if (late) return
      late = true
      error = reason
      clearTimeout(timer)
      timer = setTimeout(giveUp, limit.grace)
    }
    const expire = () => {
      const reason = limit.onTimeout()
      lifeline.end(reason)
      // A life that had ended before (an unload in progress) interrupts nothing by itself.
      interrupt(reason)
    }
    const first = Math.min(limit.ms, limit.warn)
    let timer = setTimeout(() => {
      if (first === limit.ms) return expire()
      limit.onSlow(first)
      timer = setTimeout(expire, limit.ms - first)
    }, first)
    const done = () => {
      clearTimeout(timer)
      lifeline.interrupt = undefined
    }
    lifeline.interrupt = interrupt
    // Ended from within the synchronous part of the operation.
    if (!ended && lifeline.ended) interrupt(lifeline.reason)
    result.then(
      (value) => {
        done()
        if (late) reject(error as Error)
        else resolve(value as T)
      },
      (cause: unknown) => {
        done()
        reject(late ? (error as Error) : (cause as Error))
      },
    )
  })
}
