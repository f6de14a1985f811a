import type { EventBusService } from '@enigma/contracts'
import { type EventHandler, ServiceGone, type SubscribeOptions } from '@enigma/kernel'

export type Owner = Parameters<EventBusService['for']>[0]
export type Options = Omit<SubscribeOptions, 'module'>

/** A subscription that came through this module; the kernel's bus holds the subscription itself. */
interface Listener {
  readonly event: string
  readonly handler: unknown
  readonly owner: Owner
  /** What it last failed with: by that the bus's word of its suspension is recognised. */
  error?: unknown
  end(): void
}

/** Listeners by event and function, for each owner. */
export class ListenerTable {
  readonly #listeners = new Set<Listener>()
  readonly #onAdded: (event: string) => void
  #open = true

  /** `onAdded` hears of each new listener's event. */
  constructor(onAdded: (event: string) => void) {
    this.#onAdded = onAdded
  }

  add<Name extends string>(owner: Owner, event: Name, handler: EventHandler<Name>, once: boolean, options?: Options): () => void {
    if (!this.#open) throw new ServiceGone('event-bus', 'it was unloaded')
    const known = this.#find(owner, event, handler)
    if (known) return known.end
    const run: EventHandler<Name> = (payload, name) => {
      if (once) listener.end()
      try {
        const result = handler(payload, name)
        if (result instanceof Promise) {
          // Heard before the bus hears it, and so before it says that the listener is suspended.
          result.catch((error: unknown) => {
            listener.error = error
          })
        }
        return result
      } catch (error) {
        listener.error = error
        throw error
      }
    }
    // Both go with the owner's scope: with its start, if it is starting, else with its load.
    const off = owner.events.on(event, run, options)
    const forget = owner.onDispose(() => void this.#listeners.delete(listener), `listener of ${event}`)
    const listener: Listener = {
      event,
      handler,
      owner,
      end: () => {
        off()
        forget()
      },
    }
    this.#listeners.add(listener)
    this.#onAdded(event)
    return listener.end
  }

  /** Ends those of one owner, event or handler; all, where nothing is said. Returns how many. */
  remove(owner?: Owner, event?: string, handler?: unknown): number {
    const found = this.list(owner, event).filter((listener) => handler === undefined || listener.handler === handler)
    for (const { end } of found) end()
    return found.length
  }

  list(owner?: Owner, event?: string): Listener[] {
    return [...this.#listeners].filter(
      (listener) => (owner === undefined || listener.owner === owner) && (event === undefined || listener.event === event),
    )
  }

  /** The bus has suspended whoever failed with this. */
  suspended(error: unknown): void {
    for (const listener of this.#listeners) if ('error' in listener && listener.error === error) listener.end()
  }

  /** Ends all; further ones are refused. */
  close(): void {
    this.#open = false
    this.remove()
  }

  #find(owner: Owner, event: string, handler: unknown): Listener | undefined {
    for (const listener of this.#listeners) {
      if (listener.handler === handler && listener.event === event && listener.owner === owner) return listener
    }
    return undefined
  }
}
