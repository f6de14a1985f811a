import type { Labels, Metrics, MetricType, MetricView } from '@enigma/contracts'

/** The config of `module.yaml`, defaults filled in. Durations as `10s`. */
export interface MetricsConfig {
  readonly sampleInterval: string
  readonly retention: string
  readonly flushInterval: string
  readonly maxLabelSets: number
}

/** A value that another process leaves for the collector. */
export interface RecordedValue {
  readonly name: string
  readonly type: MetricType
  readonly value: number
  readonly labels: Labels
}

/** `metrics.json` in the state folder. */
export interface WrittenMetrics {
  /** ISO 8601. */
  readonly time: string
  readonly pid: number
  readonly metrics: readonly MetricView[]
}

export interface CollectorStatus {
  readonly metrics: number
  readonly series: number
  /** Bytes held by the time series now, and at most. */
  readonly memory: number
  readonly maxMemory: number
  /** Series that came when the limit was reached, and are not kept over time. */
  readonly dropped: number
  /** Why the files could not be written the last time. */
  readonly problem: string | undefined
}

/** What `getInterface('metrics-collector')` gives. */
export interface MetricsService extends Metrics {
  status(): CollectorStatus
  /** Writes the files for other processes now. */
  flush(): Promise<void>
}
