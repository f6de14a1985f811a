import { describe, expect, test } from 'vitest'
import { runChild } from './child.mjs'
import { interleave } from './interleave.mjs'
import { lastLine } from './report.mjs'
import { slopeOf } from './slope.mjs'
import { median, ratios, summary } from './statistics.mjs'

/** A subject whose process prints `sample`. */
function subject(name, sample, check = () => undefined) {
  return {
    subject: name,
    command: process.execPath,
    args: ['-e', `console.log('chatter'); console.log('${JSON.stringify(sample)}')`],
    check,
  }
}

describe('statistics', () => {
  test('the median of an even number of samples is the mean of the middle two', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([1, 9, 5, 7])).toBe(6)
  })

  test('a ratio above 1 means that we are faster, for tokens/s and for milliseconds', () => {
    const rows = [summary('a', 'enigma', 'u', [20]), summary('a', 'peer', 'u', [10]), summary('b', 'peer', 'u', [10])]
    expect(ratios(rows, 'enigma', 'higher')).toEqual({ 'a vs peer': 2 })
    expect(ratios(rows, 'enigma', 'lower')).toEqual({ 'a vs peer': 0.5 })
  })
})

describe('the slope of a line through points', () => {
  test('is exact for points on a line', () => {
    const { slope, low, high } = slopeOf([1, 2, 3, 4].map((x) => [x, 64 * x + 9]))
    for (const value of [slope, low, high]) expect(value).toBeCloseTo(64, 6)
  })

  test('says how unsure it is: scattered points without a trend do not tell a leak', () => {
    const { low, high } = slopeOf(Array.from({ length: 40 }, (_, x) => [x, x % 2 === 0 ? 1000 : -1000]))
    expect(low).toBeLessThan(0)
    expect(high).toBeGreaterThan(0)
  })
})

describe('a sample', () => {
  test('is the last line of a fresh process', async () => {
    const { sample, others } = await runChild(subject('x', { value: 7, cpuMs: 1 }))
    expect(sample).toEqual({ value: 7, cpuMs: 1 })
    expect(others).toBeGreaterThanOrEqual(0)
  })

  test('that fails says with which exit code and its last words', async () => {
    const { failure } = await runChild({
      command: process.execPath,
      args: ['-e', 'console.error("no weights"); process.exit(3)'],
    })
    expect(failure).toBe('ended with exit code 3: no weights')
  })

  test('that prints no JSON, cannot start or takes too long is a failure', async () => {
    expect((await runChild({ command: process.execPath, args: ['-e', 'console.log("hm")'] })).failure).toMatch('no JSON: hm')
    expect((await runChild({ command: '/nonexistent', args: [] })).failure).toMatch('could not start')
    const endless = { command: process.execPath, args: ['-e', 'setInterval(() => 0, 1000)'], timeoutMs: 200 }
    expect((await runChild(endless)).failure).toBe('ended with SIGKILL')
  })
})

test('subjects take turns, each round starting with another, and a wrong counter voids the sample', async () => {
  const log = []
  const wrong = ({ value }) => (value === 1 ? undefined : `value is ${value}`)
  const { valid, voided } = await interleave({
    what: 'w',
    subjects: [subject('a', { value: 1 }, wrong), subject('b', { value: 2 }, wrong)],
    samples: 2,
    log: (line) => log.push(line),
  })
  expect(log.map((line) => line.split(' ')[2])).toEqual(['a:', 'b:', 'b:', 'a:'])
  expect(valid.get('a')).toHaveLength(2)
  expect(valid.get('b')).toEqual([])
  expect(voided).toEqual([1, 2].map(() => ({ what: 'w', subject: 'b', reason: 'value is 2' })))
})

test('a slow subject runs in some rounds only', async () => {
  const run = (name, every) => ({ ...subject(name, { value: 1 }, () => undefined), ...(every && { every }) })
  const { valid } = await interleave({ what: 'w', subjects: [run('quick'), run('slow', 2)], samples: 3, log: () => undefined })
  const rounds = (name) => valid.get(name).map(({ round }) => round)
  expect({ quick: rounds('quick'), slow: rounds('slow') }).toEqual({ quick: [0, 1, 2], slow: [0, 2] })
})

test('the last line holds exactly the agreed fields', () => {
  const row = { ...summary('w', 'enigma', 'ms', [1, 2, 3]), details: { more: 1 }, samples: [] }
  const line = lastLine({
    suite: 's',
    load: 0.1,
    rows: [row],
    ratios: { 'w vs peer': 2 },
    machine: {},
    versions: {},
    absent: [],
    voided: [],
  })
  expect(JSON.parse(line)).toEqual({
    suite: 's',
    load: 0.1,
    rows: [{ what: 'w', subject: 'enigma', unit: 'ms', median: 2, min: 1, max: 3, n: 3 }],
    ratios: { 'w vs peer': 2 },
  })
})
