import type { Emitter } from '@enigma/contracts'
import type { ModuleContext } from '@enigma/kernel'
import { OwnedEmitter } from './emitter.js'
import { type Listener, type ListenerState, ListenerTable, type Owner } from './listener-table.js'
import type { EventBusConfig, EventBusInterface, ListenerInfo } from './types.js'

/** What the code that replaces this one at a reload goes on with. */
export interface HandedOver {
  readonly state: ListenerState
  /** Listeners of the program: their context goes with this module, so they are made anew. */
  readonly own: readonly Listener[]
}

/** The service: listeners on the manager's own bus, known by event and function. */
export class EventBus extends OwnedEmitter implements EventBusInterface {
  readonly #table: ListenerTable
  readonly #warned = new Set<string>()
  readonly #ctx: Owner & Pick<ModuleContext<EventBusConfig>, 'config' | 'log'>

  constructor(ctx: ModuleContext<EventBusConfig>) {
    const table = new ListenerTable((event) => this.#check(event))
    super(ctx, table, true)
    this.#table = table
    this.#ctx = ctx
    // The bus ends a listener that fails again and again; it is not to be counted any more.
    ctx.events.on('bus.error', ({ suspended, error }) => {
      if (suspended) table.suspended(error)
    })
    ctx.onDispose(() => table.close(), 'listeners')
  }

  for(owner: Owner): Emitter {
    return new OwnedEmitter(owner, this.#table, false)
  }

  listeners(): readonly ListenerInfo[] {
    return this.#table.list().map(({ event, owner }) => ({ event, module: owner.id }))
  }

  handOver(): HandedOver {
    return { state: this.#table.handOver(), own: this.#table.list(this.#ctx) }
  }

  adopt({ state, own }: HandedOver): void {
    this.#table.adopt(state)
    for (const { event, handler, once, options } of own) this.#table.add(this.#ctx, event, handler, once, options)
  }

  /** Warns once for an event that has too many listeners: mostly somebody adds one again and again. */
  #check(event: string): void {
    const { maxListeners } = this.#ctx.config
    const all = this.#table.list(undefined, event)
    if (all.length <= maxListeners || this.#warned.has(event)) return
    this.#warned.add(event)
    const ids = [...new Set(all.map(({ owner }) => owner.id))]
    const byModule = ids.map((id) => `${id} ${all.filter(({ owner }) => owner.id === id).length}`)
    const fix = 'Is one added again and again? End it with the function that on() returns, or raise maxListeners.'
    this.#ctx.log.warn(`'${event}' has ${all.length} listeners (${byModule.join(', ')}), more than ${maxListeners}. ${fix}`)
  }
}
