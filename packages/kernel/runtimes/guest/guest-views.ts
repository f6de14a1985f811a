import { ModuleError, messageOf } from '../../errors.js'
import type { DeliveryReport } from '../../events/events.js'
import type { ModuleEventsView, ModuleHooksView } from '../../events/views.js'
import type { ModuleLog } from '../../lifecycle/context.js'
import type { Peer } from '../wire/peer.js'
import type { GuestEffects } from './effects.js'

// The bus and the hooks as a module sees them that runs elsewhere.

type Handler = (payload: unknown, name: string) => unknown

/** A module's handlers and taps, by the number under which the host knows them. */
export class GuestHandlers {
  readonly #peer: Peer
  readonly #effects: GuestEffects
  readonly #log: ModuleLog
  readonly #handlers = new Map<number, Handler>()
  #next = 1

  constructor(peer: Peer, effects: GuestEffects, log: ModuleLog) {
    this.#peer = peer
    this.#effects = effects
    this.#log = log
  }

  /** What the host calls for an event, or a hook. */
  call(subscription: number, payload: unknown, name: string): unknown {
    return this.#handlers.get(subscription)?.(payload, name)
  }

  add(to: 'event' | 'hook', name: string, handler: Handler, options: object | undefined): () => void {
    const subscription = this.#next++
    this.#handlers.set(subscription, handler)
    const params = { to, subscription, name, options: options ?? {} }
    this.#effects.ask('subscribe', params, (error) => this.#log.error(messageOf(error)))
    return () => {
      if (this.#handlers.delete(subscription)) this.#peer.notify('unsubscribe', { subscription })
    }
  }
}

export function guestEvents(module: string, peer: Peer, handlers: GuestHandlers): ModuleEventsView {
  const on: ModuleEventsView['on'] = (pattern, handler, options) => handlers.add('event', pattern, handler as Handler, options)
  return {
    on,
    once: <Name extends string>(...[pattern, handler, options]: Parameters<typeof on<Name>>) => {
      const off = on<Name>(
        pattern,
        (payload, name) => {
          off()
          return handler(payload, name)
        },
        options,
      )
      return off
    },
    // How many handlers there were is known elsewhere, and later.
    emit: (name, payload) => {
      peer.notify('emit', { name, payload })
      return 0
    },
    emitAsync: (name, payload) => peer.request('emit', { name, payload, report: true }) as Promise<DeliveryReport>,
    listenerCount: () => 1,
    recent: () => {
      const message = `Module '${module}' runs apart from the bus: ctx.events.recent is not there. Subscribe with ctx.events.on.`
      throw new ModuleError('NOT_TRANSFERABLE', message, { module })
    },
  }
}

export function guestHooks(peer: Peer, handlers: GuestHandlers): ModuleHooksView {
  const ask = (way: string) => (name: string, value: unknown) => peer.request('hooks', { way, name, value }) as Promise<never>
  return {
    tap: (name, run, options) => handlers.add('hook', name, run as Handler, options),
    bail: ask('bail'),
    waterfall: ask('waterfall'),
    series: ask('series'),
    parallel: ask('parallel'),
  }
}
