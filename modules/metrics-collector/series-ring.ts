import type { Labels, MetricSeries, MetricView } from '@enigma/contracts'

interface Series {
  readonly name: string
  readonly labels: Labels
  readonly values: Float64Array
}

const numberSize = Float64Array.BYTES_PER_ELEMENT

/** What each value was at the last so many samples: one ring of times, one ring of values for each series. */
export class SeriesRing {
  readonly #points: number
  readonly #maxSeries: number
  readonly #times: Float64Array
  readonly #series = new Map<string, Series>()
  readonly #refused = new Set<string>()
  #next = 0

  /** Holds at most `points × (maxSeries + 1) × 8` bytes, and only what the series that exist need. */
  constructor(points: number, maxSeries: number) {
    this.#points = points
    this.#maxSeries = maxSeries
    this.#times = new Float64Array(points)
  }

  get size(): number {
    return this.#series.size
  }

  /** Series refused because the ring is full. */
  get dropped(): number {
    return this.#refused.size
  }

  /** Bytes. */
  get memory(): number {
    return (this.#series.size + 1) * this.#points * numberSize
  }

  get maxMemory(): number {
    return (this.#maxSeries + 1) * this.#points * numberSize
  }

  /** Keeps one value of each series; of a histogram its count. */
  add(time: number, metrics: readonly MetricView[]): void {
    const at = this.#next++ % this.#points
    this.#times[at] = time
    for (const { values } of this.#series.values()) values[at] = Number.NaN
    for (const { name, values } of metrics) {
      for (const { labels, value, histogram } of values) {
        const series = this.#of(name, labels)
        if (series) series.values[at] = histogram?.count ?? value
      }
    }
  }

  list(name?: string): MetricSeries[] {
    const order = this.#order()
    const times = order.map((at) => this.#times[at]!)
    return [...this.#series.values()]
      .filter((series) => name === undefined || series.name === name)
      .map(({ name: own, labels, values }) => ({ name: own, labels, times, values: order.map((at) => values[at]!) }))
  }

  /** Places in the ring, oldest first. */
  #order(): number[] {
    const first = Math.max(0, this.#next - this.#points)
    return Array.from({ length: this.#next - first }, (_, i) => (first + i) % this.#points)
  }

  #of(name: string, labels: Labels): Series | undefined {
    const key = `${name} ${JSON.stringify(labels)}`
    const known = this.#series.get(key)
    if (known) return known
    if (this.#series.size >= this.#maxSeries) {
      if (this.#refused.size < this.#maxSeries) this.#refused.add(key)
      return undefined
    }
    const series = { name, labels, values: new Float64Array(this.#points).fill(Number.NaN) }
    this.#series.set(key, series)
    return series
  }
}
