import type { FastifyReply } from 'fastify'
import { ApiError } from './api-error.js'

/** Lets so many generations in at once, waiting ones counted, and no more. */
export class GenerationGate {
  readonly #limit: number
  readonly #open = new Set<AbortController>()
  #onEmpty: (() => void) | undefined
  #closed = false

  constructor(limit: number) {
    this.#limit = limit
  }

  get pending(): number {
    return this.#open.size
  }

  /**
   * Counts a request until its answer has been sent, or its client has gone.
   * @returns fires then, and when the server has waited long enough
   * @throws ApiError 503 when there are too many, or the server is stopping
   */
  enter({ raw }: FastifyReply): AbortSignal {
    if (this.#closed) throw new ApiError(503, 'stopping', 'The server is stopping.', { retryAfter: 5 })
    if (this.#open.size >= this.#limit)
      throw new ApiError(503, 'overloaded', `${this.#limit} requests are being answered or waiting. Ask again in a moment.`, {
        retryAfter: 1,
      })
    const controller = new AbortController()
    this.#open.add(controller)
    raw.once('close', () => {
      // What still runs for this request has nobody to answer.
      controller.abort(new Error('The client has gone.'))
      this.#open.delete(controller)
      if (this.#open.size === 0) this.#onEmpty?.()
    })
    return controller.signal
  }

  /** Lets nobody in any more, waits until the answers under way have been sent, and ends them after `ms`. */
  async close(ms: number): Promise<void> {
    this.#closed = true
    if (this.#open.size === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    const timer = setTimeout(() => {
      for (const controller of this.#open) controller.abort(new Error('The server has stopped.'))
    }, ms)
    await empty
    clearTimeout(timer)
  }
}
