import { EventBusService } from '@enigma/contracts'
import type { RotatingFile } from '@enigma/files'
import { defineModule } from '@enigma/kernel'
import { EventBus, type HandedOver } from './event-bus.js'
import { openInbox } from './inbox.js'
import { keepJournal } from './journal.js'
import type { EventBusConfig } from './types.js'

export type { EventBusConfig, EventBusInterface, JournalEvent, ListenerInfo } from './types.js'

/** The manager's bus as a service. There is one bus: this is another way to it. */
class EventBusModule extends EventBus {
  journal: RotatingFile | undefined
}

export default defineModule<EventBusConfig, EventBusModule>({
  load(ctx) {
    const bus = new EventBusModule(ctx)
    if (ctx.config.persist) bus.journal = keepJournal(ctx)
    ctx.provide(EventBusService, bus)
    return bus
  },

  start: (ctx) => openInbox(ctx),

  health(_, { journal }) {
    if (journal?.problem === undefined) return { status: 'healthy' }
    return { status: 'degraded', message: `The journal cannot be written: ${journal.problem}` }
  },

  snapshot: (_, bus) => bus.handOver(),

  restore: (_, state, bus) => bus.adopt(state as HandedOver),

  onConfig(next, previous) {
    const { maxListeners: _next, ...rest } = next
    const { maxListeners: _previous, ...before } = previous
    return JSON.stringify(rest) === JSON.stringify(before) ? 'applied' : 'restart'
  },
})
