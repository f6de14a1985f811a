import type { ModuleCommand } from '@enigma/kernel'
import { type HeartbeatReport, type Pulse, readBeat } from '../beat-file.js'
import { defaultPath } from '../heartbeat.js'

const sentences: Readonly<Record<Pulse, string>> = {
  running: 'beating',
  stale: 'stale: its process lives and writes no more',
  stopped: 'stopped: its process is gone',
  missing: "no heartbeat was written here; load the module 'heartbeat'",
  damaged: 'the file holds no heartbeat; remove it with heartbeat:reset',
}

/** Reads the daemon's file, and loads nothing: a daemon in this process would overwrite what the other one wrote. */
export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show the last beat, and whether it is still beating',
  async execute({ options }) {
    const report = await readBeat(typeof options.path === 'string' ? options.path : defaultPath())
    return options.format === 'json' ? report : table(report)
  },
}

function table({ pulse, path, age, beat }: HeartbeatReport): string {
  const { timestamp, status, uptime, memory, cpu, version, pid } = beat ?? {}
  const rows: [string, string | undefined][] = [
    ['heartbeat', sentences[pulse]],
    ['file', path],
    ['age', age === undefined ? undefined : `${age} s`],
    ['process', pid?.toString()],
    ['timestamp', timestamp],
    ['status', status],
    ['uptime', uptime === undefined ? undefined : `${uptime} s`],
    ['memory', memory && `${memory.used} of ${memory.total} MB (${memory.percentage} %)`],
    ['cpu', cpu && `${cpu.usage} % (load ${cpu.loadAverage.join(' ')})`],
    ['version', version],
  ]
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(9)}  ${value}`)
    .join('\n')
}
