import type { ModuleCommand } from '@enigma/kernel'
import { metricsFiles } from '../metrics-collector.js'
import { nothingWritten, readWritten } from '../written-metrics.js'

/** Reads the collector's file and loads nothing, so it tells of the collector in whichever process it runs. */
export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show which process collects, and how much',
  async execute({ options }) {
    const written = await readWritten()
    if (options.format === 'json') return written === undefined ? { collecting: false } : summary(written)
    if (written === undefined) return nothingWritten
    const { time, pid, collecting, metrics, values, file } = summary(written)
    const state = collecting ? 'collecting' : 'gone'
    return [`process  ${pid}, ${state}`, `written  ${time}`, `metrics  ${metrics}, ${values} values`, `file     ${file}`].join(
      '\n',
    )
  },
}

function summary({ time, pid, alive, metrics }: NonNullable<Awaited<ReturnType<typeof readWritten>>>) {
  const values = metrics.reduce((sum, metric) => sum + metric.values.length, 0)
  return { collecting: alive, pid, time, metrics: metrics.length, values, file: metricsFiles().json }
}
