import { expect, test } from 'vitest'
import { consoleLine } from '../../console-line.js'

const record = JSON.stringify({
  level: 40,
  time: '2026-01-02T03:04:05.678Z',
  module: 'inference',
  ms: 1200,
  what: 'chat',
  msg: 'slow answer',
})

test('a record is one line for people', () => {
  expect(consoleLine(record, false)).toBe('03:04:05.678 WARN  inference: slow answer  ms=1200  what=chat\n')
})

test('colour surrounds the level only', () => {
  expect(consoleLine(record, true)).toBe('03:04:05.678 \u001b[33mWARN \u001b[0m inference: slow answer  ms=1200  what=chat\n')
})
