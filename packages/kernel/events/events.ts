import { ModuleError, messageOf } from '../errors.js'
import { isThenable } from '../lifecycle/thenable.js'
import { EventHistory, type EventRecord } from './event-history.js'
import type { PayloadOf } from './event-map.js'
import type { QueueOptions } from './event-queue.js'
import { matcher } from './pattern.js'
import { checkPriority } from './priority.js'
import { isCustom, seedViews } from './seed-events.js'
import { type QueueInfo, refused, Subscription, type SubscriptionOwner } from './subscription.js'

// The event bus. Handlers run in order of priority, then of subscription; one that throws does not stop the others.

/** The name is given to handlers of a pattern, and to those that declare a second parameter (`handler.length` is 2). */
export type EventHandler<Name extends string> = (payload: PayloadOf<Name>, name: string) => unknown

export interface SubscribeOptions {
  /** Higher runs first; default 0. */
  priority?: number
  /** Whose handler it is, for `bus.error`. */
  module?: string
  /** The handler gets its events from a queue: later, one at a time. */
  queue?: QueueOptions
}

/** What became of one `emitAsync`. */
export interface DeliveryReport {
  /** Handlers that the event reached for. */
  readonly matched: number
  /** Handlers that ran through, and queues that took the event. */
  readonly delivered: number
  readonly failed: readonly { readonly module: string | undefined; readonly error: unknown }[]
}

/** The handlers of one name, ready to run. Thrown away when it no longer holds, never changed: an emit under way keeps its own. */
interface Route {
  readonly subscriptions: readonly Subscription[]
  /** What to call for each of them: one flat list, or each call costs another load. Undefined for names that are views of others. */
  readonly calls: readonly ((payload: unknown) => unknown)[] | undefined
}

/** How deep handlers may emit from within handlers. */
const maxDepth = 64
/** Distinct names whose route is kept. */
const maxNames = 4096

export class EventBus {
  readonly #history = new EventHistory()
  /** Subscriptions to one name, and those with a pattern, each in running order. */
  readonly #exact = new Map<string, Subscription[]>()
  readonly #patterns: Subscription[] = []
  readonly #routes = new Map<string, Route>()
  readonly #owner: SubscriptionOwner = {
    failed: (subscription, name, error) => this.#failed(subscription, name, error),
    overflowed: (overflow) => void this.emit('bus.overflow', overflow),
    changed: (subscription) => this.#forget(subscription),
  }
  #sequence = 0
  #depth = 0

  /**
   * Subscribes to a name or a pattern: `a.*` takes one more segment, `a.**` any number, `**` or `*` alone everything.
   * Returns the function that ends the subscription; what then still waits in its queue is dropped.
   * @throws ModuleError `BAD_SUBSCRIPTION`
   */
  on<Name extends string>(pattern: Name, handler: EventHandler<Name>, options: SubscribeOptions = {}): () => void {
    if (typeof pattern !== 'string' || pattern === '' || typeof handler !== 'function') {
      throw new ModuleError('BAD_SUBSCRIPTION', 'Pass the name of an event and a function: on(name, (payload, name) => …).')
    }
    checkPriority(options.priority)
    const view = seedViews.get(pattern)
    const subscription = new Subscription(
      {
        pattern,
        source: view?.of ?? pattern,
        matches: view === undefined ? matcher(pattern) : view.of === undefined ? isCustom : undefined,
        handler:
          view === undefined
            ? (handler as (payload: unknown, name: string) => unknown)
            : (payload, name) => handler(view.see(payload as never, name) as PayloadOf<Name>, pattern),
        options,
        sequence: this.#sequence++,
      },
      this.#owner,
    )
    let list = this.#listOf(subscription)
    if (list === undefined) this.#exact.set(subscription.source, (list = []))
    // Nearly always the end: found from there.
    const at = list.findLastIndex((other) => other.priority >= subscription.priority) + 1
    if (at === list.length) list.push(subscription)
    else list.splice(at, 0, subscription)
    this.#forget(subscription)
    return () => this.#remove(subscription)
  }

  /** As `on`, for one event. */
  once<Name extends string>(pattern: Name, handler: EventHandler<Name>, options: SubscribeOptions = {}): () => void {
    return once((first) => this.on<Name>(pattern, first, options), handler)
  }

  /**
   * Delivers now, to every handler; never throws what a handler throws. Rejections of asynchronous handlers go to `bus.error` too.
   * Returns how many handlers ran through and queues took the event. A full queue that blocks refuses it: only `emitAsync` can wait.
   */
  emit<Name extends string>(name: Name, payload: PayloadOf<Name>): number {
    const { calls, subscriptions } = this.#routes.get(name) ?? this.#makeRoute(name)
    if (calls === undefined) return this.#emitView(name, payload)
    this.#history.add(name, payload)
    const count = calls.length
    if (count === 0) return 0
    if (this.#depth >= maxDepth) {
      this.#tooDeep(name)
      return 0
    }
    this.#depth++
    let delivered = count
    let i = 0
    // One `try` around many calls; after a failure it is entered again behind the handler that failed. Four calls to a turn:
    // the processor predicts where each leads from its place in the code.
    for (;;) {
      try {
        while (i + 4 <= count) {
          let result = calls[i]!(payload)
          if (result !== undefined) delivered -= this.#answered(subscriptions[i]!, result, name)
          i++
          result = calls[i]!(payload)
          if (result !== undefined) delivered -= this.#answered(subscriptions[i]!, result, name)
          i++
          result = calls[i]!(payload)
          if (result !== undefined) delivered -= this.#answered(subscriptions[i]!, result, name)
          i++
          result = calls[i]!(payload)
          if (result !== undefined) delivered -= this.#answered(subscriptions[i]!, result, name)
          i++
        }
        while (i < count) {
          const result = calls[i]!(payload)
          if (result !== undefined) delivered -= this.#answered(subscriptions[i]!, result, name)
          i++
        }
        break
      } catch (error) {
        delivered--
        this.#failed(subscriptions[i++]!, name, error)
      }
    }
    this.#depth--
    return delivered
  }

  /** Delivers to every handler, and waits for all of them and for queues that block. Never rejects. */
  async emitAsync<Name extends string>(name: Name, payload: PayloadOf<Name>): Promise<DeliveryReport> {
    const { calls, subscriptions } = this.#routes.get(name) ?? this.#makeRoute(name)
    if (calls === undefined) {
      const custom = customOf(name, payload)
      if (custom !== undefined) return this.emitAsync(custom.event_type, custom.data)
      return { matched: 0, delivered: 0, failed: [{ module: undefined, error: this.#refuseView(name) }] }
    }
    this.#history.add(name, payload)
    const matched = subscriptions.length
    if (matched > 0 && this.#depth >= maxDepth) {
      return { matched, delivered: 0, failed: [{ module: undefined, error: this.#tooDeep(name) }] }
    }
    this.#depth++
    const results = subscriptions.map(async ({ queue }, i) => (queue ? queue.accept(payload, name) : calls[i]!(payload)))
    this.#depth--
    const failed: { module: string | undefined; error: unknown }[] = []
    const settled = await Promise.allSettled(results)
    settled.forEach((result, i) => {
      const subscription = subscriptions[i]!
      if (result.status === 'rejected') {
        failed.push({ module: subscription.module, error: result.reason })
        // A queue that is full is no failure of its handler, and has said so itself.
        if (subscription.queue === undefined) this.#failed(subscription, name, result.reason)
      } else if (subscription.queue === undefined) subscription.failures = 0
    })
    return { matched, delivered: matched - failed.length, failed }
  }

  /** How many handlers an event of this name reaches. */
  listenerCount(name: string): number {
    const source = seedViews.get(name)?.of ?? name
    return (this.#routes.get(source) ?? this.#makeRoute(source)).subscriptions.length
  }

  /** The last events (at most 4096), oldest first; those whose name matches, with a pattern. */
  recent(pattern = '**'): EventRecord[] {
    const view = seedViews.get(pattern)
    if (view !== undefined) {
      const records = this.#history.list(view.of === undefined ? isCustom : (name) => name === view.of)
      return records.map(({ name, payload, time }) => ({ name: pattern, payload: view.see(payload as never, name), time }))
    }
    return this.#history.list(matcher(pattern) ?? ((name) => name === pattern))
  }

  /** How many subscriptions there are. */
  get size(): number {
    let size = this.#patterns.length
    for (const list of this.#exact.values()) size += list.length
    return size
  }

  /** The queues of subscriptions: how full each is, and what it has lost. */
  get queues(): QueueInfo[] {
    const all = [...this.#exact.values(), this.#patterns].flat()
    return all.flatMap((subscription) => subscription.queueInfo ?? [])
  }

  #makeRoute(name: string): Route {
    if (typeof name !== 'string')
      throw new ModuleError('BAD_SUBSCRIPTION', `The name of an event is a string, got ${typeof name}.`)
    if (this.#routes.size >= maxNames) this.#routes.clear()
    const exact = this.#exact.get(name) ?? []
    const patterns = this.#patterns.filter(({ matches }) => matches!(name))
    const subscriptions =
      patterns.length === 0
        ? exact.slice()
        : [...exact, ...patterns].sort((a, b) => b.priority - a.priority || a.sequence - b.sequence)
    const route = {
      subscriptions,
      calls: seedViews.has(name) ? undefined : subscriptions.map((subscription) => subscription.callFor(name)),
    }
    this.#routes.set(name, route)
    return route
  }

  #listOf({ matches, source }: Subscription): Subscription[] | undefined {
    return matches === undefined ? this.#exact.get(source) : this.#patterns
  }

  #forget({ matches, source }: Subscription): void {
    if (matches === undefined) this.#routes.delete(source)
    else this.#routes.clear()
  }

  #remove(subscription: Subscription): void {
    const list = this.#listOf(subscription)
    // Modules leave in reverse order: searched from the end.
    const at = list?.lastIndexOf(subscription) ?? -1
    if (list === undefined || at < 0) return
    list.splice(at, 1)
    if (list.length === 0 && subscription.matches === undefined) this.#exact.delete(subscription.source)
    this.#forget(subscription)
    subscription.queue?.close()
  }

  /** A handler has answered something: a promise, a refusal, or what nobody asked for. Returns 1 for a refusal. */
  #answered(subscription: Subscription, result: unknown, name: string): 0 | 1 {
    if (result === refused) return 1
    if (isThenable(result)) {
      result.then(
        () => void (subscription.failures = 0),
        (error: unknown) => this.#failed(subscription, name, error),
      )
    }
    return 0
  }

  #failed(subscription: Subscription, event: string, error: unknown): void {
    const suspended = subscription.countFailure()
    if (suspended) this.#remove(subscription)
    // A failing handler of bus.error is only written down, or it would call itself.
    const payload = { event, module: subscription.module, message: messageOf(error), error, suspended }
    if (event === 'bus.error') this.#history.add('bus.error', payload)
    else this.emit('bus.error', payload)
  }

  #tooDeep(event: string): Error {
    const error = new Error(`events are emitted ${maxDepth} deep within each other; '${event}' was not delivered`)
    this.#history.add('bus.error', { event, module: undefined, message: error.message, error, suspended: false })
    return error
  }

  #emitView(name: string, payload: unknown): number {
    const custom = customOf(name, payload)
    if (custom !== undefined) return this.emit(custom.event_type, custom.data)
    this.#refuseView(name)
    return 0
  }

  #refuseView(event: string): ModuleError {
    const ours = seedViews.get(event)?.of
    const fix = ours === undefined ? 'Emit it with { event_type, data }.' : `Emit '${ours}', which it is another name of.`
    const error = new ModuleError('BAD_SUBSCRIPTION', `'${event}' cannot be emitted like this. ${fix}`)
    this.emit('bus.error', { event, module: undefined, message: error.message, error, suspended: false })
    return error
  }
}

/** A subscription that ends at its first event, even if that event causes another of the same name. */
export function once<Name extends string>(
  subscribe: (handler: EventHandler<Name>) => () => void,
  handler: EventHandler<Name>,
): () => void {
  let done = false
  const off = subscribe((payload, name) => {
    if (done) return undefined
    done = true
    off()
    return handler(payload, name)
  })
  return off
}

/** The event that a `Custom` one stands for; undefined when it is none. */
function customOf(name: string, payload: unknown): { event_type: string; data: unknown } | undefined {
  if (name !== 'Custom' || typeof payload !== 'object' || payload === null) return undefined
  const { event_type, data } = payload as { event_type?: unknown; data?: unknown }
  return typeof event_type === 'string' && !seedViews.has(event_type) ? { event_type, data } : undefined
}
