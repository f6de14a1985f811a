import { ModuleError, parseDuration } from '@enigma/kernel'

/** Milliseconds. */
const shortest = 100

/** `30s` → milliseconds. @throws ModuleError `BAD_CONFIG` */
export function parseInterval(text: string): number {
  if (text === '') throw wrong('Heartbeat config missing required field: interval')
  const ms = /^\d+(ms|s|m|h)$/.test(text) ? parseDuration(text) : undefined
  if (ms === undefined) throw wrong('Invalid interval format. Use format like "500ms", "30s", "5m", "1h"')
  if (ms < shortest) throw wrong('Interval must be at least 100ms')
  // What timers can count; longer ones would fire at once.
  if (ms > 2 ** 31 - 1) throw wrong('Interval must be at most 596h')
  return ms
}

export function wrong(message: string): ModuleError {
  return new ModuleError('BAD_CONFIG', message, { module: 'heartbeat' })
}
