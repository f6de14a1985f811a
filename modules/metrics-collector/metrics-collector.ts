import { join } from 'node:path'
import type { Counter, Gauge, Histogram, HistogramOptions, MetricOptions, MetricSeries, MetricView } from '@enigma/contracts'
import { enigmaFolders, Mailbox, writeAtomic } from '@enigma/files'
import { type Health, type ModuleContext, parseDuration } from '@enigma/kernel'
import { countEvents } from './event-metrics.js'
import { MetricTable, wrong } from './metric-table.js'
import { ProcessMetrics } from './process-metrics.js'
import { parseRecorded } from './recorded-value.js'
import { recorder } from './recorder.js'
import { SeriesRing } from './series-ring.js'
import type { CollectorStatus, MetricsConfig, MetricsService, WrittenMetrics } from './types.js'

type Host = Pick<ModuleContext<MetricsConfig>, 'config' | 'effect' | 'events' | 'log' | 'onDispose'>

/** Series kept over time at most. */
const maxSeries = 1000
/** Points of a series at most: 70 MB when all series are there. */
const maxPoints = 8640

/** Files for other processes: JSON for the commands, text for Prometheus' textfile collector, and what they leave for us. */
export function metricsFiles() {
  const { state } = enigmaFolders()
  return { json: join(state, 'metrics.json'), text: join(state, 'metrics.prom'), inbox: join(state, 'metrics', 'inbox') }
}

/** What the code that replaces this one at a reload goes on with. */
export interface HandedOver {
  readonly table: MetricTable
  readonly ring: SeriesRing
  /** CPU time that the table has counted. */
  readonly cpuSeconds: number
}

/** Collects, samples and writes. */
export class MetricsCollector implements MetricsService {
  readonly #host: Host
  #table: MetricTable
  #ring: SeriesRing
  #process: ProcessMetrics
  #problem: string | undefined
  #sampling: Promise<void> | undefined
  #flushing: Promise<void> = Promise.resolve()

  /** @throws ModuleError `BAD_CONFIG` when the retention holds too many samples */
  constructor(host: Host) {
    const { retention, sampleInterval, maxLabelSets } = host.config
    const points = Math.max(1, Math.ceil(ms(retention) / Math.max(1, ms(sampleInterval))))
    if (points > maxPoints) {
      throw wrong(`${retention} in steps of ${sampleInterval} are ${points} points, at most ${maxPoints}. Sample less often.`)
    }
    this.#host = host
    this.#table = new MetricTable(maxLabelSets)
    this.#ring = new SeriesRing(points, maxSeries)
    this.#process = new ProcessMetrics(this.#table)
    host.onDispose(() => this.#process.close(), 'event loop monitor')
    countEvents(this, host.events)
  }

  counter(name: string, options?: MetricOptions): Counter {
    return this.#table.counter(name, options)
  }

  gauge(name: string, options?: MetricOptions): Gauge {
    return this.#table.gauge(name, options)
  }

  histogram(name: string, options?: HistogramOptions): Histogram {
    return this.#table.histogram(name, options)
  }

  snapshot(): Promise<readonly MetricView[]> {
    return this.#table.views()
  }

  series(name?: string): readonly MetricSeries[] {
    return this.#ring.list(name)
  }

  prometheus(): Promise<string> {
    return this.#table.text()
  }

  status(): CollectorStatus {
    const { size: series, memory, maxMemory, dropped } = this.#ring
    return { metrics: this.#table.size, series, memory, maxMemory, dropped, problem: this.#problem }
  }

  /** Samples and writes now and then, until the scope of the caller (the module's start) ends. */
  async start(): Promise<void> {
    const { config } = this.#host
    await this.#tick()
    await this.flush()
    // Runs when the timers are gone: what was counted since the last writing is written.
    this.#host.effect('last writing', () => async () => {
      await this.#sampling
      await this.flush()
    })
    this.#host.effect(`sample every ${config.sampleInterval}`, () => every(ms(config.sampleInterval), () => this.#tick()))
    this.#host.effect(`write every ${config.flushInterval}`, () => every(ms(config.flushInterval), () => this.flush()))
  }

  flush(): Promise<void> {
    // One after the other: an older state must not take the place of a newer one.
    this.#flushing = this.#flushing.then(() => this.#write())
    return this.#flushing
  }

  /** The tables themselves: metrics that other modules hold go on counting in them. */
  handOver(): HandedOver {
    return { table: this.#table, ring: this.#ring, cpuSeconds: this.#process.seconds }
  }

  adopt({ table, ring, cpuSeconds }: HandedOver): void {
    this.#process.close()
    this.#table = table
    this.#ring = ring
    this.#process = new ProcessMetrics(table, cpuSeconds)
  }

  health(): Health {
    if (this.#problem !== undefined) return { status: 'degraded', message: `The metrics were not written: ${this.#problem}` }
    return { status: 'healthy', message: `${this.#table.size} metrics, ${this.#ring.size} series` }
  }

  async #write(): Promise<void> {
    const files = metricsFiles()
    const written: WrittenMetrics = { time: new Date().toISOString(), pid: process.pid, metrics: await this.snapshot() }
    try {
      await writeAtomic(files.json, `${JSON.stringify(written)}\n`)
      await writeAtomic(files.text, await this.prometheus())
      this.#problem = undefined
    } catch (error) {
      const problem = (error as Error).message
      // Said once, when it begins.
      if (this.#problem === undefined) this.#host.log.warn(`The metrics cannot be written to ${files.json}: ${problem}`)
      this.#problem = problem
    }
  }

  #tick(): Promise<void> {
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = undefined
    })
    return this.#sampling
  }

  async #sample(): Promise<void> {
    this.#process.sample()
    for (const message of await new Mailbox(metricsFiles().inbox).take()) this.#record(message)
    this.#ring.add(Date.now(), await this.snapshot())
  }

  /** A value that another process has left; one that makes no sense is logged and forgotten. */
  #record(message: string): void {
    try {
      const { name, type, value, labels } = parseRecorded(message)
      recorder(this, type, name, { help: 'Recorded by a command', labels: Object.keys(labels) })(value, labels)
    } catch (error) {
      this.#host.log.warn(`A recorded value was refused: ${(error as Error).message}`)
    }
  }
}

/** The manifest's patterns have checked the durations. */
const ms = (text: string) => parseDuration(text)!

/** Longest and shortest that timers can do. */
const limits = [100, 2 ** 31 - 1] as const

/** A timer that keeps no program alive. Returns what stops it. */
function every(interval: number, run: () => Promise<void>): () => void {
  const timer = setInterval(() => void run(), Math.min(limits[1], Math.max(limits[0], interval))).unref()
  return () => clearInterval(timer)
}
