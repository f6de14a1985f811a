import type { Labels, MetricOptions, Metrics, MetricType } from '@enigma/contracts'

/** A metric of any type as one function. @throws ModuleError `BAD_CONFIG` as asking for it does */
export function recorder(
  metrics: Pick<Metrics, MetricType>,
  type: MetricType,
  name: string,
  options: MetricOptions,
): (value: number, labels: Labels) => void {
  if (type === 'counter') return metrics.counter(name, options).inc
  if (type === 'gauge') return metrics.gauge(name, options).set
  return metrics.histogram(name, options).observe
}
