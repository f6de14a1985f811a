import { expect, test } from 'vitest'
import { parseInterval } from '../../interval.js'

test.each([
  ['100ms', 100],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
])('%s is %i ms', (text, ms) => {
  expect(parseInterval(text)).toBe(ms)
})

test.each([
  ['', 'Heartbeat config missing required field: interval'],
  ['soon', 'Invalid interval format. Use format like "500ms", "30s", "5m", "1h"'],
  ['30', 'Invalid interval format. Use format like "500ms", "30s", "5m", "1h"'],
  ['1.5s', 'Invalid interval format. Use format like "500ms", "30s", "5m", "1h"'],
  ['30s ', 'Invalid interval format. Use format like "500ms", "30s", "5m", "1h"'],
  ['99ms', 'Interval must be at least 100ms'],
  ['0s', 'Interval must be at least 100ms'],
  ['9999999h', 'Interval must be at most 596h'],
])('%j is refused with its sentence', (text, message) => {
  expect(() => parseInterval(text)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG', message }))
})
