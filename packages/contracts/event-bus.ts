import { type EventHandler, type ModuleContext, type PayloadOf, type SubscribeOptions, token } from '@enigma/kernel'

/** The one bus of the manager in the shape of Node's EventEmitter. Names may be patterns: `a.*`, `a.**`, `**`. */
export interface Emitter {
  /** Delivers now; what a listener throws is logged and stops nobody. Returns how many listeners ran through. */
  emit<Name extends string>(event: Name, payload: PayloadOf<Name>): number
  /**
   * Subscribes, and returns what ends it. A listener is known by event and function: one function may listen to many events;
   * the same one to the same event a second time changes nothing.
   */
  on<Name extends string>(event: Name, listener: EventHandler<Name>, options?: Omit<SubscribeOptions, 'module'>): () => void
  once<Name extends string>(event: Name, listener: EventHandler<Name>, options?: Omit<SubscribeOptions, 'module'>): () => void
  /** Whether it was listening. */
  off<Name extends string>(event: Name, listener: EventHandler<Name>): boolean
  /** Of one event, or of all. Returns how many there were. */
  removeAllListeners(event?: string): number
  listenerCount(event?: string): number
}

/** The bus for everyone: its counts and `removeAllListeners` mean all listeners that came through this service. */
export interface EventBusService extends Emitter {
  /**
   * The bus for one module, `bus.for(ctx)`: its listeners end with that module, and their errors carry its name. Counts and
   * `removeAllListeners` mean its own.
   */
  for(owner: Pick<ModuleContext<never>, 'id' | 'events' | 'onDispose'>): Emitter
}

export const EventBusService = token<EventBusService>('event-bus', '1.0')
