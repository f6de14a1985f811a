/** What the figures were taken on. */
import { readFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Above this load average (one minute) before the run, something else was using the processors. */
export const quietLoad = 0.3

/** One-minute load average. */
export function loadAverage() {
  return Math.round(loadavg()[0] * 100) / 100
}

/** Vector extensions that decide the speed of matrix products, as Linux names them; empty elsewhere. */
function vectorExtensions() {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' ') ?? []
    return ['avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_tile'].filter((flag) => flags.includes(flag))
  } catch {
    return []
  }
}

export function machine() {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    vectorExtensions: vectorExtensions(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  }
}

/** Milliseconds that all processors together have been busy since start-up. */
export function busyMilliseconds() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}
