import type { EventRecord } from './event-history.js'
import type { PayloadOf } from './event-map.js'
import { type DeliveryReport, type EventBus, type EventHandler, once, type SubscribeOptions } from './events.js'
import type { Tap } from './hook-map.js'
import type { Hooks, TapOptions } from './hooks.js'

// The bus and the hooks as a module sees them: what it subscribes to and taps ends with it.

export interface ModuleEventsView {
  emit<Name extends string>(name: Name, payload: PayloadOf<Name>): number
  emitAsync<Name extends string>(name: Name, payload: PayloadOf<Name>): Promise<DeliveryReport>
  on<Name extends string>(pattern: Name, handler: EventHandler<Name>, options?: Omit<SubscribeOptions, 'module'>): () => void
  /** As `on`, for one event. */
  once<Name extends string>(pattern: Name, handler: EventHandler<Name>, options?: Omit<SubscribeOptions, 'module'>): () => void
  /** How many handlers an event of this name reaches: whether it is worth the making. */
  listenerCount(name: string): number
  /** The last events, oldest first. */
  recent(pattern?: string): EventRecord[]
}

export interface ModuleHooksView extends Pick<Hooks, 'bail' | 'waterfall' | 'series' | 'parallel'> {
  tap<Name extends string>(name: Name, run: Tap<Name>, options?: Omit<TapOptions, 'module'>): () => void
}

/** Does something whose undoing is registered with the module. */
type Effect = (label: string, run: () => () => void) => () => unknown

export function eventsOf(bus: EventBus, module: string, effect: Effect): ModuleEventsView {
  const on: ModuleEventsView['on'] = (pattern, handler, options) =>
    effect(`on ${pattern}`, () => bus.on(pattern, handler, { ...options, module })) as () => void
  return {
    emit: (name, payload) => bus.emit(name, payload),
    emitAsync: (name, payload) => bus.emitAsync(name, payload),
    on,
    once: (pattern, handler, options) => once((first) => on(pattern, first, options), handler),
    listenerCount: (name) => bus.listenerCount(name),
    recent: (pattern) => bus.recent(pattern),
  }
}

export function hooksOf(hooks: Hooks, module: string, effect: Effect): ModuleHooksView {
  return {
    tap: (name, run, options) => effect(`tap ${name}`, () => hooks.tap(name, run, { ...options, module })) as () => void,
    bail: (name, value) => hooks.bail(name, value),
    waterfall: (name, value) => hooks.waterfall(name, value),
    series: (name, value) => hooks.series(name, value),
    parallel: (name, value) => hooks.parallel(name, value),
  }
}
