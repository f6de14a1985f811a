import { isThenable } from '../lifecycle/thenable.js'
import type { OverflowPolicy, QueueOverflow } from './event-map.js'
import { EventQueue, type QueueOptions } from './event-queue.js'

// One handler's subscription: what the bus calls for it, its queue, and its failures in a row.

type Handler = (payload: unknown, name: string) => unknown

export interface SubscriptionSetup {
  readonly pattern: string
  /** The name that is listened to, when it is one. */
  readonly source: string
  /** For patterns. */
  readonly matches: ((name: string) => boolean) | undefined
  readonly handler: Handler
  readonly options: { readonly priority?: number; readonly module?: string; readonly queue?: QueueOptions }
  readonly sequence: number
}

/** What subscriptions tell the bus. */
export interface SubscriptionOwner {
  failed(subscription: Subscription, name: string, error: unknown): void
  overflowed(overflow: QueueOverflow): void
  /** `callFor` answers another function from now on. */
  changed(subscription: Subscription): void
}

/** How full the queue of a subscription is. */
export interface QueueInfo {
  readonly pattern: string
  readonly module: string | undefined
  readonly overflow: OverflowPolicy
  readonly size: number
  readonly length: number
  /** Events lost since the subscription began. */
  readonly dropped: number
}

/** What `call` answers when a queue refuses the event. */
export const refused: object = Object.freeze({})
/** Failures in a row after which a handler is suspended. */
const maxFailures = 5

export class Subscription {
  readonly pattern: string
  readonly source: string
  readonly matches: ((name: string) => boolean) | undefined
  readonly priority: number
  readonly sequence: number
  readonly module: string | undefined
  readonly queue: EventQueue | undefined
  readonly #owner: SubscriptionOwner
  /** What the bus calls: the handler itself, or what puts the event into the queue. */
  readonly call: Handler
  readonly #wantsName: boolean
  failures = 0
  #watched = false

  constructor(setup: SubscriptionSetup, owner: SubscriptionOwner) {
    const { pattern, handler, options } = setup
    this.pattern = pattern
    this.source = setup.source
    this.matches = setup.matches
    this.priority = options.priority ?? 0
    this.sequence = setup.sequence
    this.module = options.module
    this.#owner = owner
    const wantsName = setup.matches !== undefined || handler.length >= 2
    this.#wantsName = wantsName || options.queue !== undefined
    if (options.queue === undefined) {
      this.queue = undefined
      this.call = handler
      return
    }
    const label = `'${pattern}'${options.module === undefined ? '' : ` of module '${options.module}'`}`
    const queue = new EventQueue(label, options.queue, {
      run: wantsName ? handler : (payload) => (handler as (payload: unknown) => unknown)(payload),
      settled: () => void (this.failures = 0),
      failed: (name, error) => owner.failed(this, name, error),
      overflowed: (event, lost, dropped) =>
        owner.overflowed({ event, pattern, module: options.module, overflow: queue.overflow, lost, dropped }),
    })
    this.queue = queue
    this.call = (payload, name) => (queue.offer(payload, name) ? undefined : refused)
  }

  /** What to call for events of this name. Another argument to each of many calls is a third of an emit: the name goes to those who want it. */
  callFor(name: string): (payload: unknown) => unknown {
    const { call } = this
    const bare: (payload: unknown) => unknown = this.#wantsName ? (payload) => call(payload, name) : (call as () => unknown)
    if (!this.#watched) return bare
    return (payload) => {
      const result = bare(payload)
      if (!isThenable(result)) this.failures = 0
      return result
    }
  }

  get queueInfo(): QueueInfo | undefined {
    if (this.queue === undefined) return undefined
    const { overflow, size, length, dropped } = this.queue
    return { pattern: this.pattern, module: this.module, overflow, size, length, dropped }
  }

  /** Whether that was one too many. */
  countFailure(): boolean {
    // Most handlers never fail: only one that has is called through a function that starts the count anew when it succeeds.
    if (!this.#watched && this.queue === undefined) {
      this.#watched = true
      this.#owner.changed(this)
    }
    return ++this.failures >= maxFailures
  }
}
