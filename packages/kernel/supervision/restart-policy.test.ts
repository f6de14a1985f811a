import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CrashHistory, defaultPolicy, nextAttempt, noCrashes, wantsRestart } from './restart-policy.js'

const middle = 0.5
const minute = 60_000

test('the first crash waits a second, the second two, the third within five minutes is the last', () => {
  const first = nextAttempt(noCrashes, 0, 0, middle)
  if (!first.restart) throw new Error('given up at the first crash')
  expect([first.attempt, first.delayMs]).toEqual([1, 1000])
  const second = nextAttempt(first.history, 2 * minute, 1000, middle)
  if (!second.restart) throw new Error('given up at the second crash')
  expect([second.attempt, second.delayMs]).toEqual([2, 2000])
  expect(nextAttempt(second.history, 5 * minute - 1, 1000, middle)).toEqual({
    restart: false,
    crashes: [0, 2 * minute, 5 * minute - 1],
  })
  expect(nextAttempt(second.history, 5 * minute, 1000, middle)).toMatchObject({ restart: true, attempt: 3, delayMs: 4000 })
})

test('a module that ran for a minute starts over with the first wait', () => {
  const history: CrashHistory = { attempts: 5, crashes: [] }
  expect(nextAttempt(history, 0, minute - 1, middle)).toMatchObject({ attempt: 6, delayMs: 32_000 })
  expect(nextAttempt(history, 0, minute, middle)).toMatchObject({ attempt: 1, delayMs: 1000 })
})

test('the wait is capped, also after absurdly many attempts', () => {
  for (const attempts of [6, 40, 5000]) {
    expect(nextAttempt({ attempts, crashes: [] }, 0, 0, middle)).toMatchObject({ delayMs: minute })
  }
})

test('on-failure restarts what failed, always also what ended cleanly, never nothing', () => {
  const table = (['never', 'on-failure', 'always'] as const).map((setting) => [
    wantsRestart(setting, false),
    wantsRestart(setting, true),
  ])
  expect(table).toEqual([
    [false, false],
    [true, false],
    [true, true],
  ])
})

const crash = fc.record({
  after: fc.integer({ min: 0, max: 10 * minute }),
  ranFor: fc.integer({ min: 0, max: 3 * minute }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
})

test('whatever the crashes: given up exactly at three in five minutes, waits within their bounds', () => {
  fc.assert(
    fc.property(fc.array(crash, { maxLength: 30 }), (crashes) => {
      let history = noCrashes
      let now = 0
      let seen: number[] = []
      let inRow = 0
      for (const { after, ranFor, random } of crashes) {
        now += after
        seen.push(now)
        const recent = seen.filter((at) => now - at < defaultPolicy.window).length
        const next = nextAttempt(history, now, ranFor, random)
        expect(next.restart).toBe(recent < 3)
        if (!next.restart) {
          history = noCrashes
          seen = []
          inRow = 0
          continue
        }
        inRow = ranFor >= minute ? 1 : inRow + 1
        const plain = Math.min(60_000, 1000 * 2 ** (inRow - 1))
        expect(next.attempt).toBe(inRow)
        expect(next.delayMs).toBeGreaterThanOrEqual(Math.floor(plain * 0.8))
        expect(next.delayMs).toBeLessThanOrEqual(Math.ceil(plain * 1.2))
        expect(next.history.crashes.length).toBeLessThan(3)
        history = next.history
      }
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 10_000 : 500 },
  )
})
