import type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  Labels,
  MetricOptions,
  MetricType,
  MetricView,
} from '@enigma/contracts'
import { ModuleError } from '@enigma/kernel'
import * as prometheus from 'prom-client'
import { viewOf } from './metric-view.js'

// All metrics, by name, each with a bounded number of label combinations.

type Metric = prometheus.Counter | prometheus.Gauge | prometheus.Histogram

interface Entry {
  readonly name: string
  readonly type: MetricType
  readonly labels: readonly string[]
  readonly metric: Metric
  /** Label combinations that are kept apart. */
  readonly known: Set<string>
}

/** Metrics at most: more are a mistake, such as a name with an id in it. */
const maxMetrics = 500
/** Letters of a label's value at most. */
const maxValue = 120
/** What the labels of further combinations become. */
const other = 'other'
/** Seconds. */
const defaultBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60]

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/

export class MetricTable {
  readonly #registry = new prometheus.Registry()
  readonly #entries = new Map<string, Entry>()
  readonly #maxLabelSets: number
  readonly #folded: Counter

  constructor(maxLabelSets: number) {
    this.#maxLabelSets = maxLabelSets
    const help = 'Values whose combination of labels was one too many; they are counted under other'
    this.#folded = this.counter('enigma_metrics_folded_total', { help, labels: ['metric'] })
  }

  get size(): number {
    return this.#entries.size
  }

  counter(name: string, options: MetricOptions = {}): Counter {
    const entry = this.#entry('counter', name, options)
    const metric = entry.metric as prometheus.Counter
    return {
      inc: (value = 1, labels) => {
        if (!(Number.isFinite(value) && value >= 0)) throw wrong(`A counter only grows: '${name}' cannot take ${value}.`)
        metric.inc(this.#labels(entry, labels), value)
      },
    }
  }

  gauge(name: string, options: MetricOptions = {}): Gauge {
    const entry = this.#entry('gauge', name, options)
    const metric = entry.metric as prometheus.Gauge
    return {
      set: (value, labels) => metric.set(this.#labels(entry, labels), finite(name, value)),
      inc: (value = 1, labels) => metric.inc(this.#labels(entry, labels), finite(name, value)),
      dec: (value = 1, labels) => metric.dec(this.#labels(entry, labels), finite(name, value)),
    }
  }

  histogram(name: string, options: HistogramOptions = {}): Histogram {
    const entry = this.#entry('histogram', name, options)
    const metric = entry.metric as prometheus.Histogram
    const observe = (value: number, labels?: Labels) => metric.observe(this.#labels(entry, labels), finite(name, value))
    return {
      observe,
      time: (labels) => {
        const begun = performance.now()
        return () => {
          const seconds = (performance.now() - begun) / 1000
          observe(seconds, labels)
          return seconds
        }
      },
    }
  }

  async views(): Promise<MetricView[]> {
    const all = await this.#registry.getMetricsAsJSON()
    return all
      .map((metric) => viewOf({ ...metric, type: this.#entries.get(metric.name)!.type }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #entry(type: MetricType, name: string, options: HistogramOptions): Entry {
    const labels = [...(options.labels ?? [])].sort()
    const known = this.#entries.get(name)
    if (known) {
      if (known.type === type && known.labels.join() === labels.join()) return known
      const is = `a ${known.type} with the labels ${known.labels.join(', ') || '(none)'}`
      throw wrong(`The metric '${name}' is ${is} already. Ask for that, or take another name.`)
    }
    if (!namePattern.test(name))
      throw wrong(`'${name}' is no name for a metric. Use letters, digits, _ and :, such as requests_total.`)
    const bad = labels.find((label) => !labelPattern.test(label) || label === 'le')
    if (bad !== undefined) throw wrong(`'${bad}' is no name for a label of '${name}'. Use letters, digits and _; 'le' is taken.`)
    if (this.#entries.size >= maxMetrics) {
      throw wrong(`There are ${maxMetrics} metrics already; '${name}' is one too many. Put what varies into labels.`)
    }
    const entry: Entry = { name, type, labels, metric: this.#make(type, name, { ...options, labels }), known: new Set() }
    this.#entries.set(name, entry)
    return entry
  }

  #make(type: MetricType, name: string, { help, labels = [], buckets }: HistogramOptions): Metric {
    const common = { name, help: help || name, labelNames: labels, registers: [this.#registry] }
    if (type === 'counter') return new prometheus.Counter(common)
    if (type === 'gauge') return new prometheus.Gauge(common)
    const bounds = [...(buckets ?? defaultBuckets)]
    if (
      bounds.length === 0 ||
      bounds.length > 100 ||
      bounds.some((bound, i) => !Number.isFinite(bound) || bound <= (bounds[i - 1] ?? -Infinity))
    ) {
      throw wrong(`The buckets of '${name}' must be 1 to 100 numbers, each larger than the one before.`)
    }
    return new prometheus.Histogram({ ...common, buckets: bounds })
  }

  /** The labels to count under: all declared ones, as text; `other` where the combination is one too many. */
  #labels(entry: Entry, given: Labels = {}): Record<string, string> {
    const unknown = Object.keys(given).find((label) => !entry.labels.includes(label))
    if (unknown !== undefined) {
      throw wrong(`The metric '${entry.name}' has no label '${unknown}'; it has: ${entry.labels.join(', ') || 'none'}.`)
    }
    if (entry.labels.length === 0) return {}
    const values = entry.labels.map((label) => String(given[label] ?? '').slice(0, maxValue))
    const key = JSON.stringify(values)
    const fits = entry.known.has(key) || entry.known.size < this.#maxLabelSets
    if (fits) entry.known.add(key)
    else this.#folded.inc(1, { metric: entry.name })
    return Object.fromEntries(entry.labels.map((label, i) => [label, fits ? values[i]! : other]))
  }
}

function finite(name: string, value: number): number {
  if (Number.isFinite(value)) return value
  throw wrong(`'${name}' takes finite numbers, not ${value}.`)
}

export function wrong(message: string): ModuleError {
  return new ModuleError('BAD_CONFIG', message, { module: 'metrics-collector' })
}
