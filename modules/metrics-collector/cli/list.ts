import { readFile } from 'node:fs/promises'
import type { MetricValue } from '@enigma/contracts'
import type { ModuleCommand } from '@enigma/kernel'
import { metricsFiles } from '../metrics-collector.js'
import { nothingWritten, readWritten } from '../written-metrics.js'

export const listCommand: ModuleCommand = {
  name: 'list',
  description: 'List the metrics as they were last written',
  async execute({ options }) {
    const written = await readWritten()
    const part = typeof options.name === 'string' ? options.name : ''
    const metrics = (written?.metrics ?? []).filter(({ name }) => name.includes(part))
    if (options.format === 'json') return metrics
    if (written === undefined) return nothingWritten
    if (options.format === 'prometheus') return readFile(metricsFiles().text, 'utf8')
    const rows = metrics.flatMap(({ name, type, values }) =>
      values.map((value) => [name + labelText(value), type, valueText(value)]),
    )
    const width = Math.max(0, ...rows.map(([name]) => name!.length))
    return rows.map(([name, type, value]) => `${name!.padEnd(width)}  ${type!.padEnd(9)}  ${value}`).join('\n')
  },
}

function labelText({ labels }: MetricValue): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function valueText({ value, histogram }: MetricValue): string {
  if (histogram === undefined) return short(value)
  const { count, p50, p99 } = histogram
  return `${count} values, mean ${short(value)}, p50 ${short(p50)}, p99 ${short(p99)}`
}

const short = (value: number) => String(Number.isInteger(value) ? value : Number(value.toPrecision(4)))
