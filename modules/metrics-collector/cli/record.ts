import type { MetricType } from '@enigma/contracts'
import { Mailbox } from '@enigma/files'
import type { ModuleCommand } from '@enigma/kernel'
import { MetricTable, wrong } from '../metric-table.js'
import { metricsFiles } from '../metrics-collector.js'
import { recorder } from '../recorder.js'
import { readWritten } from '../written-metrics.js'

/** Leaves a value where the collector, which may be another process, takes it at its next sample. */
export const recordCommand: ModuleCommand = {
  name: 'record',
  description: 'Leave a value for the collector',
  async execute({ options, args }) {
    const [name, text = ''] = args
    const value = Number(text)
    if (name === undefined || text.trim() === '') throw wrong('Say what to record: metrics-collector:record NAME VALUE')
    const type = (options.type ?? 'gauge') as MetricType
    const labels = labelsOf(options.label)
    // Tried here, so that who records hears what is wrong with it, and not a log.
    const record = recorder(new MetricTable(1), type, name, { labels: Object.keys(labels) })
    record(value, labels)
    const inbox = new Mailbox(metricsFiles().inbox)
    if (!(await inbox.leave(JSON.stringify({ name, type, value, labels })))) {
      throw wrong(`${inbox.folder} is full: no collector takes what is there. Load the module 'metrics-collector'.`)
    }
    const running = (await readWritten().catch(() => undefined))?.alive === true
    return running
      ? `Left ${name} ${value} for the collector, which takes it at its next sample`
      : `Left ${name} ${value}; no collector runs now, the next one takes it`
  },
}

function labelsOf(given: unknown): Record<string, string> {
  const pairs = (Array.isArray(given) ? given : given === undefined ? [] : [given]).map(String)
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw wrong(`'${pair}' is no label. Write it as name=value.`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
