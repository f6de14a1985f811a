import type { Labels, MetricType, MetricValue, MetricView } from '@enigma/contracts'

// What the registry holds, in the form of the contract: a histogram's buckets become percentiles.

interface RawValue {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number | undefined>>
  /** Of a histogram: `x_bucket`, `x_sum`, `x_count`. */
  readonly metricName?: string
}

interface RawMetric {
  readonly name: string
  readonly help: string
  readonly type: MetricType
  readonly values: readonly RawValue[]
}

export function viewOf({ name, help, type, values }: RawMetric): MetricView {
  if (type === 'histogram') return { name, type, help, values: histogramValues(name, values) }
  return { name, type, help, values: values.map(({ labels, value }) => ({ labels: labels as Labels, value })) }
}

interface Collected {
  readonly labels: Labels
  readonly buckets: [upper: number, below: number][]
  sum: number
  count: number
}

function histogramValues(name: string, values: readonly RawValue[]): MetricValue[] {
  const all = new Map<string, Collected>()
  for (const { labels: raw, value, metricName } of values) {
    const { le, ...labels } = raw
    const key = JSON.stringify(Object.entries(labels).sort())
    const collected = all.get(key) ?? { labels: labels as Labels, buckets: [], sum: 0, count: 0 }
    all.set(key, collected)
    if (metricName === `${name}_sum`) collected.sum = value
    else if (metricName === `${name}_count`) collected.count = value
    else collected.buckets.push([le === '+Inf' ? Infinity : Number(le), value])
  }
  return [...all.values()].map(({ labels, buckets, sum, count }) => {
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(buckets, count, share)) as [number, number, number]
    return { labels, value: count === 0 ? 0 : sum / count, histogram: { count, sum, p50, p90, p99 } }
  })
}

/**
 * Linear within the bucket that holds it, as Prometheus' `histogram_quantile`; beyond the last bound, that bound.
 * @param buckets upper bounds, ascending, with how many values are not above
 */
export function percentile(buckets: readonly (readonly [upper: number, below: number])[], count: number, share: number): number {
  const rank = share * count
  const at = buckets.findIndex(([, below]) => below >= rank)
  if (count === 0 || at < 0) return 0
  const [upper, below] = buckets[at]!
  const [lower, before] = buckets[at - 1] ?? [Math.min(0, upper), 0]
  if (upper === Infinity) return lower
  return below === before ? upper : lower + ((upper - lower) * (rank - before)) / (below - before)
}
