import { GarbageCollection, type GarbageRule } from '@enigma/contracts'
import { defineModule } from '@enigma/kernel'
import { GarbageCollector } from './garbage-collector.js'
import type { GarbageCollectorConfig } from './types.js'

export type { GarbageCollectorConfig, GarbageCollectorService, LastRun } from './types.js'

/** Cleans Enigma's own folders now and then. */
export default defineModule<GarbageCollectorConfig, GarbageCollector>({
  load(ctx) {
    const collector = new GarbageCollector(ctx, ctx.config)
    ctx.provide(GarbageCollection, collector)
    return collector
  },

  start(ctx, collector) {
    ctx.effect('collect at an interval', () => collector.schedule())
  },

  health: (_, collector) => collector.health(),

  snapshot: (_, collector) => collector.handOver(),

  restore: (_, rules, collector) => collector.adopt(rules as Set<GarbageRule>),

  onConfig(next, previous, _, collector) {
    collector.configure(next)
    // The pause under way was measured by the old interval.
    return next.interval === previous.interval ? 'applied' : 'restart'
  },
})
