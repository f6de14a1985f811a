import { Metrics } from '@enigma/contracts'
import { defineModule } from '@enigma/kernel'
import { type HandedOver, MetricsCollector } from './metrics-collector.js'
import type { MetricsConfig } from './types.js'

export type { CollectorStatus, MetricsConfig, MetricsService, WrittenMetrics } from './types.js'

/** Counts what the process and its modules do. */
export default defineModule<MetricsConfig, MetricsCollector>({
  load(ctx) {
    const collector = new MetricsCollector(ctx)
    ctx.provide(Metrics, collector)
    return collector
  },

  start: (_, collector) => collector.start(),

  health: (_, collector) => collector.health(),

  snapshot: (_, collector) => collector.handOver(),

  restore: (_, state, collector) => collector.adopt(state as HandedOver),

  usage: (_, collector) => ({ ram: collector.status().memory }),
})
