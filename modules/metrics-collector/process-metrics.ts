import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Counter, Gauge } from '@enigma/contracts'
import type { MetricTable } from './metric-table.js'

/** Milliseconds between two looks at the event loop. */
const resolution = 20

/** What this process uses, under the names that Prometheus' clients share. */
export class ProcessMetrics {
  readonly #cpu: Counter
  readonly #gauges: readonly { readonly gauge: Gauge; readonly read: () => number }[]
  readonly #delay: IntervalHistogram
  /** CPU time that is counted already. */
  #seconds: number
  #utilization = performance.eventLoopUtilization()

  /** @param seconds CPU time that the table has counted already */
  constructor(table: MetricTable, seconds = 0) {
    this.#seconds = seconds
    this.#cpu = table.counter('process_cpu_seconds_total', { help: 'User and system time' })
    this.#delay = monitorEventLoopDelay({ resolution })
    this.#delay.enable()
    const rows: readonly [name: string, help: string, read: () => number][] = [
      ['process_resident_memory_bytes', 'Memory of the process', () => process.memoryUsage.rss()],
      ['process_uptime_seconds', 'Since the process began', () => process.uptime()],
      ['nodejs_heap_used_bytes', "V8's heap, used", () => process.memoryUsage().heapUsed],
      ['nodejs_heap_total_bytes', "V8's heap, taken from the system", () => process.memoryUsage().heapTotal],
      ['nodejs_external_memory_bytes', 'Buffers and native objects', () => process.memoryUsage().external],
      [
        'nodejs_eventloop_delay_p50_seconds',
        'Median delay of the event loop since the last sample',
        () => this.#late(this.#delay.percentile(50)),
      ],
      ['nodejs_eventloop_delay_p99_seconds', 'The same, 99th percentile', () => this.#late(this.#delay.percentile(99))],
      ['nodejs_eventloop_delay_max_seconds', 'The same, longest', () => this.#late(this.#delay.max)],
      ['nodejs_eventloop_utilization', 'Share of the time since the last sample that was busy', () => this.#busy()],
    ]
    this.#gauges = rows.map(([name, help, read]) => ({ gauge: table.gauge(name, { help }), read }))
  }

  get seconds(): number {
    return this.#seconds
  }

  sample(): void {
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    this.#cpu.inc(Math.max(0, seconds - this.#seconds))
    this.#seconds = seconds
    for (const { gauge, read } of this.#gauges) gauge.set(read())
    this.#delay.reset()
  }

  close(): void {
    this.#delay.disable()
  }

  // The histogram holds nanoseconds between looks: what is above the wanted distance is delay.
  #late(nanoseconds: number): number {
    return this.#delay.count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - resolution / 1000)
  }

  #busy(): number {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    return Number.isFinite(utilization) ? utilization : 0
  }
}
