import { messageOf } from '../errors.js'
import { isThenable } from '../lifecycle/thenable.js'
import { EventHistory, type EventRecord } from './event-history.js'
import type { PayloadOf } from './event-map.js'

// The event bus. Handlers run in order of priority, then of subscription; one that throws does not stop the others.

export type EventHandler<Name extends string> = (payload: PayloadOf<Name>, name: string) => unknown

export interface SubscribeOptions {
  /** Higher runs first; default 0. */
  priority?: number
  /** Whose handler it is, for `bus.error`. */
  module?: string
}

/** What became of one `emitAsync`. */
export interface DeliveryReport {
  readonly delivered: number
  readonly failed: readonly { readonly module: string | undefined; readonly error: unknown }[]
}

interface Subscription {
  readonly pattern: string
  readonly matches: ((name: string) => boolean) | undefined
  readonly handler: (payload: never, name: string) => unknown
  readonly priority: number
  readonly sequence: number
  readonly module: string | undefined
  failures: number
}

/** Failures in a row after which a handler is suspended. */
const maxFailures = 5
/** How deep handlers may emit from within handlers. */
const maxDepth = 64
/** Distinct names whose handler list is kept ready. */
const maxNames = 4096

export class EventBus {
  readonly #history = new EventHistory(4096)
  /** Subscriptions to one name, and those with a pattern, each in running order. */
  readonly #exact = new Map<string, Subscription[]>()
  readonly #patterns: Subscription[] = []
  /** The handlers of each name, ready to run. A list is thrown away when it no longer holds, never changed: an emit under way keeps its own. */
  readonly #byName = new Map<string, readonly Subscription[]>()
  #sequence = 0
  #depth = 0

  /**
   * Subscribes to a name or a pattern: `a.*` takes one more segment, `a.**` any number, `**` everything.
   * Returns the function that ends the subscription.
   */
  on<Name extends string>(pattern: Name, handler: EventHandler<Name>, options: SubscribeOptions = {}): () => void {
    const subscription: Subscription = {
      pattern,
      matches: pattern.includes('*') ? matcher(pattern) : undefined,
      handler: handler as Subscription['handler'],
      priority: options.priority ?? 0,
      sequence: this.#sequence++,
      module: options.module,
      failures: 0,
    }
    let list = subscription.matches ? this.#patterns : this.#exact.get(pattern)
    if (list === undefined) this.#exact.set(pattern, (list = []))
    // Nearly always the end: found from there.
    const at = list.findLastIndex((other) => other.priority >= subscription.priority) + 1
    if (at === list.length) list.push(subscription)
    else list.splice(at, 0, subscription)
    this.#forget(subscription)
    return () => this.#remove(subscription)
  }

  /** As `on`, for one event. */
  once<Name extends string>(pattern: Name, handler: EventHandler<Name>, options: SubscribeOptions = {}): () => void {
    const off = this.on<Name>(
      pattern,
      (payload, name) => {
        off()
        return handler(payload, name)
      },
      options,
    )
    return off
  }

  /** Delivers now, to every handler; never throws. Rejections of asynchronous handlers go to `bus.error` too. Returns how many handlers ran through. */
  emit<Name extends string>(name: Name, payload: PayloadOf<Name>): number {
    this.#history.add(name, payload)
    const handlers = this.#handlers(name)
    if (handlers.length === 0) return 0
    if (this.#depth >= maxDepth) {
      const error = new Error(`events are emitted ${maxDepth} deep within each other; '${name}' was not delivered`)
      this.#history.add('bus.error', { event: name, module: undefined, message: error.message, error, suspended: false })
      return 0
    }
    let delivered = 0
    this.#depth++
    for (let i = 0; i < handlers.length; i++) {
      const subscription = handlers[i]!
      try {
        const result = subscription.handler(payload as never, name)
        if (result !== null && typeof result === 'object' && isThenable(result)) {
          result.then(
            () => void (subscription.failures = 0),
            (error: unknown) => this.#failed(subscription, name, error),
          )
        } else if (subscription.failures !== 0) subscription.failures = 0
        delivered++
      } catch (error) {
        this.#failed(subscription, name, error)
      }
    }
    this.#depth--
    return delivered
  }

  /** Delivers to every handler and waits for all of them. */
  async emitAsync<Name extends string>(name: Name, payload: PayloadOf<Name>): Promise<DeliveryReport> {
    this.#history.add(name, payload)
    const handlers = this.#handlers(name)
    const results = await Promise.allSettled(handlers.map(async (subscription) => subscription.handler(payload as never, name)))
    const failed: { module: string | undefined; error: unknown }[] = []
    results.forEach((result, i) => {
      const subscription = handlers[i]!
      if (result.status === 'fulfilled') subscription.failures = 0
      else {
        failed.push({ module: subscription.module, error: result.reason })
        this.#failed(subscription, name, result.reason)
      }
    })
    return { delivered: results.length - failed.length, failed }
  }

  /** The last events (at most 4096), oldest first; those whose name matches, with a pattern. */
  recent(pattern = '**'): EventRecord[] {
    const matches = pattern.includes('*') ? matcher(pattern) : (name: string) => name === pattern
    return this.#history.list(matches)
  }

  /** How many subscriptions there are. */
  get size(): number {
    let size = this.#patterns.length
    for (const list of this.#exact.values()) size += list.length
    return size
  }

  #handlers(name: string): readonly Subscription[] {
    let list = this.#byName.get(name)
    if (list === undefined) {
      if (this.#byName.size >= maxNames) this.#byName.clear()
      const exact = this.#exact.get(name) ?? []
      const patterns = this.#patterns.filter(({ matches }) => matches!(name))
      list =
        patterns.length === 0
          ? exact.slice()
          : [...exact, ...patterns].sort((a, b) => b.priority - a.priority || a.sequence - b.sequence)
      this.#byName.set(name, list)
    }
    return list
  }

  #forget({ pattern, matches }: Subscription): void {
    if (matches === undefined) this.#byName.delete(pattern)
    else this.#byName.clear()
  }

  #remove(subscription: Subscription): void {
    const list = subscription.matches ? this.#patterns : this.#exact.get(subscription.pattern)
    // Modules leave in reverse order: searched from the end.
    const at = list?.lastIndexOf(subscription) ?? -1
    if (list === undefined || at < 0) return
    list.splice(at, 1)
    if (list.length === 0 && !subscription.matches) this.#exact.delete(subscription.pattern)
    this.#forget(subscription)
  }

  #failed(subscription: Subscription, event: string, error: unknown): void {
    const suspended = ++subscription.failures >= maxFailures
    if (suspended) this.#remove(subscription)
    // A failing handler of bus.error is only written down, or it would call itself.
    const payload = { event, module: subscription.module, message: messageOf(error), error, suspended }
    if (event === 'bus.error') this.#history.add('bus.error', payload)
    else this.emit('bus.error', payload)
  }
}

function matcher(pattern: string): (name: string) => boolean {
  if (pattern === '**') return () => true
  const source = pattern
    .split('.')
    .map((part) => (part === '**' ? '.+' : part.replaceAll(/[\\^$+?()[\]{}|]/g, '\\$&').replaceAll('*', '[^.]+')))
    .join('\\.')
  const regexp = new RegExp(`^${source}$`)
  return (name) => regexp.test(name)
}
