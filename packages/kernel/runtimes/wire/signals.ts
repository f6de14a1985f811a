import { messageOf } from '../../errors.js'

/** Abort signals across the wire: ours are followed while a call lasts, theirs are stood in for. */
export class Signals {
  readonly #notify: (params: Readonly<Record<string, unknown>>) => void
  readonly #theirs = new Map<number, AbortController>()
  #next = 1

  /** `notify` tells the other side that a signal has aborted. */
  constructor(notify: (params: Readonly<Record<string, unknown>>) => void) {
    this.#notify = notify
  }

  follow(signal: AbortSignal): { readonly id: number; stop(): void } {
    const id = this.#next++
    const tell = () => this.#notify({ signal: id, reason: messageOf(signal.reason) })
    signal.addEventListener('abort', tell, { once: true })
    return { id, stop: () => signal.removeEventListener('abort', tell) }
  }

  standIn(id: number): { readonly controller: AbortController; stop(): void } {
    const controller = new AbortController()
    this.#theirs.set(id, controller)
    return { controller, stop: () => this.#theirs.delete(id) }
  }

  abort(id: number, reason: string): void {
    this.#theirs.get(id)?.abort(new DOMException(reason, 'AbortError'))
  }

  close(reason: Error): void {
    for (const controller of this.#theirs.values()) controller.abort(reason)
    this.#theirs.clear()
  }
}
