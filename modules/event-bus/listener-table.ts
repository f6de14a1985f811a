import type { EventBusService } from '@enigma/contracts'
import { type EventHandler, ServiceGone, type SubscribeOptions } from '@enigma/kernel'

export type Owner = Parameters<EventBusService['for']>[0]
export type Options = Omit<SubscribeOptions, 'module'>

/** What a table knows; shared with the views that modules hold, also after a reload. */
export interface ListenerState {
  readonly listeners: Set<Listener>
  open: boolean
  onAdded: (event: string) => void
}

/** A subscription that came through this module; the kernel's bus holds the subscription itself. */
export interface Listener {
  readonly event: string
  readonly handler: EventHandler<string>
  readonly owner: Owner
  readonly once: boolean
  readonly options: Options | undefined
  /** What it last failed with: by that the bus's word of its suspension is recognised. */
  error?: unknown
  end(): void
}

/** Listeners by event and function, for each owner. */
export class ListenerTable {
  #state: ListenerState

  /** `onAdded` hears of each new listener's event. */
  constructor(onAdded: (event: string) => void) {
    this.#state = { listeners: new Set(), open: true, onAdded }
  }

  add<Name extends string>(owner: Owner, event: Name, handler: EventHandler<Name>, once: boolean, options?: Options): () => void {
    if (!this.#state.open) throw new ServiceGone('event-bus', 'it was unloaded')
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
    const forget = owner.onDispose(() => void this.#state.listeners.delete(listener), `listener of ${event}`)
    const listener: Listener = {
      event,
      handler: handler as EventHandler<string>,
      owner,
      once,
      options,
      end: () => {
        off()
        forget()
      },
    }
    this.#state.listeners.add(listener)
    this.#state.onAdded(event)
    return listener.end
  }

  /** Ends those of one owner, event or handler; all, where nothing is said. Returns how many. */
  remove(owner?: Owner, event?: string, handler?: unknown): number {
    const found = this.list(owner, event).filter((listener) => handler === undefined || listener.handler === handler)
    for (const { end } of found) end()
    return found.length
  }

  list(owner?: Owner, event?: string): Listener[] {
    return [...this.#state.listeners].filter(
      (listener) => (owner === undefined || listener.owner === owner) && (event === undefined || listener.event === event),
    )
  }

  /** The bus has suspended whoever failed with this. */
  suspended(error: unknown): void {
    for (const listener of this.#state.listeners) if ('error' in listener && listener.error === error) listener.end()
  }

  /** Refuses further listeners. Those that are there belong to their owners, and go with them. */
  close(): void {
    this.#state.open = false
  }

  /** For the table of the code that replaces this one. */
  handOver(): ListenerState {
    return this.#state
  }

  /** Goes on with the listeners of the table before; views of that one work again. */
  adopt(state: ListenerState): void {
    state.open = true
    state.onAdded = this.#state.onAdded
    this.#state = state
  }

  #find(owner: Owner, event: string, handler: unknown): Listener | undefined {
    for (const listener of this.#state.listeners) {
      if (listener.handler === handler && listener.event === event && listener.owner === owner) return listener
    }
    return undefined
  }
}
