import { token } from '@enigma/kernel'

export type Labels = Readonly<Record<string, string | number>>

export interface MetricOptions {
  readonly help?: string
  /** Names of the labels that values may carry. Give names, not users or prompts: combinations are bounded. */
  readonly labels?: readonly string[]
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds; default 1 ms to 60 s, in seconds. */
  readonly buckets?: readonly number[]
}

/** Only grows. */
export interface Counter {
  inc(value?: number, labels?: Labels): void
}

/** Goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void
  inc(value?: number, labels?: Labels): void
  dec(value?: number, labels?: Labels): void
}

/** Counts values by size. */
export interface Histogram {
  observe(value: number, labels?: Labels): void
  /** Starts a clock; the returned function observes the seconds since and gives them. */
  time(labels?: Labels): () => number
}

export type MetricType = 'counter' | 'gauge' | 'histogram'

/** One combination of labels. `value` of a histogram is the mean. */
export interface MetricValue {
  readonly labels: Labels
  readonly value: number
  /** Of a histogram: how many, their sum, and percentiles estimated from the buckets. */
  readonly histogram?: {
    readonly count: number
    readonly sum: number
    readonly p50: number
    readonly p90: number
    readonly p99: number
  }
}

export interface MetricView {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly values: readonly MetricValue[]
}

/** What a value was over time. Of a histogram: its count. */
export interface MetricSeries {
  readonly name: string
  readonly labels: Labels
  /** Milliseconds since the epoch, oldest first. */
  readonly times: readonly number[]
  /** As many; NaN where there was no value yet. */
  readonly values: readonly number[]
}

/**
 * Metrics of the process. Asking for the same name again gives the same metric, also to another module; what it counted stays when
 * the module that made it goes.
 */
export interface Metrics {
  /** @throws ModuleError `BAD_CONFIG` for a bad name, or one that is taken by another type or other labels; so do the next two */
  counter(name: string, options?: MetricOptions): Counter
  gauge(name: string, options?: MetricOptions): Gauge
  histogram(name: string, options?: HistogramOptions): Histogram
  /** All of them as they are now, by name. */
  snapshot(): Promise<readonly MetricView[]>
  /** What was sampled, of one metric or of all. */
  series(name?: string): readonly MetricSeries[]
  /** In the text format of Prometheus 0.0.4. */
  prometheus(): Promise<string>
}

export const Metrics = token<Metrics>('metrics', '1.0')
