import fc from 'fast-check'
import { expect, test } from 'vitest'
import { journalLine, parseLine } from '../../journal-line.js'

const head = { id: 'a', time: '2026-01-02T03:04:05.678Z', event: 'x', pid: 7 }
const kept = (payload: unknown) => parseLine(journalLine(head, payload))!.payload

test('any JSON comes back as it was, on one line', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (payload, event) => {
      fc.pre(!/key|token|pass|secret|authorization|cookie|credential/i.test(JSON.stringify(payload)))
      const line = journalLine({ ...head, event }, payload)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(parseLine(line)).toEqual({ ...head, event, payload: JSON.parse(JSON.stringify(payload)) })
    }),
  )
})

test('what JSON cannot hold is told', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  expect([undefined, 7n, new TypeError('bad'), new Uint8Array(3)].map(kept)).toEqual([
    null,
    '7',
    { name: 'TypeError', message: 'bad' },
    '[Uint8Array of 3 bytes]',
  ])
  expect(kept(cycle)).toEqual({ omitted: expect.stringContaining('circular') })
  expect(kept('x'.repeat(70_000))).toEqual({ omitted: '70002 letters, at most 65536 are kept' })
  const hostile = {
    toJSON() {
      throw new Error('no')
    },
  }
  expect(kept(hostile)).toEqual({ omitted: 'it cannot be written: no' })
  const worse = {
    toJSON() {
      throw undefined
    },
  }
  expect(kept(worse)).toEqual({ omitted: 'it cannot be written: it throws' })
})

test('secrets are hidden, counts of tokens stay', () => {
  expect(kept({ apiKey: 'a', api_key: 'b', deep: [{ Password: 'c' }], token: { of: 'd' }, tokens: 5, secret: '' })).toEqual({
    apiKey: '[redacted]',
    api_key: '[redacted]',
    deep: [{ Password: '[redacted]' }],
    token: '[redacted]',
    tokens: 5,
    secret: '[redacted]',
  })
})

test.each(['', 'null', '7', '[]', '{"id":1}', '{"id":"a","event":"x"', '{"id":"a","event":"x"}'])('%j is no event', (line) => {
  expect(parseLine(line)).toBeUndefined()
})
