import type { EpochRecord } from './callbacks.js'

export interface EarlyStoppingOptions {
  /** What must improve: `loss`, `valid.loss`, or the name of a metric, `valid.` before it for validation's. Default `valid.loss`. */
  readonly monitor?: string
  /** Whether larger is better. Default: for everything but losses. */
  readonly larger?: boolean
  /** Epochs without an improvement that are waited for. Default 3. */
  readonly patience?: number
  /** An improvement is larger than this. Default 0. */
  readonly minDelta?: number
  /** End with the weights of the best epoch. Default true. */
  readonly restoreBest?: boolean
}

/** The value of a name such as `valid.accuracy` in an epoch's record; undefined if it has none. */
export function monitored(record: EpochRecord, monitor: string): number | undefined {
  const valid = monitor.startsWith('valid.')
  const part = valid ? record.valid : record
  const name = valid ? monitor.slice('valid.'.length) : monitor
  return name === 'loss' ? part?.loss : part?.metrics[name]
}

/** Decides from the epochs so far which was best and whether to go on. */
export function earlyStopping(
  records: readonly EpochRecord[],
  { monitor = 'valid.loss', larger = !monitor.endsWith('loss'), patience = 3, minDelta = 0 }: EarlyStoppingOptions,
): { readonly best: number; readonly stop: boolean } {
  let best = 0
  let bestValue: number | undefined
  for (const [index, record] of records.entries()) {
    const value = monitored(record, monitor)
    if (value === undefined || Number.isNaN(value)) continue
    if (bestValue === undefined || (larger ? value - bestValue : bestValue - value) > minDelta) {
      best = index
      bestValue = value
    }
  }
  return { best, stop: records.length - 1 - best >= patience }
}
