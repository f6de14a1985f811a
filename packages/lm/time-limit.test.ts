import { expect, it } from 'vitest'
import { TimeLimit } from './time-limit.js'

const late = () => new Error('late')

it('gives what a call gives, and throws what it throws', () => {
  const limit = new TimeLimit()
  expect(limit.within(1000, () => limit, late)).toBe(limit)
  const mine = new TypeError('mine')
  const fails = () => {
    throw mine
  }
  expect(() => limit.within(1000, fails, late)).toThrow(mine)
})

it.each([
  [
    'a loop',
    () => {
      for (;;);
    },
  ],
  ['a pattern', () => /(a+)+$/.test(`${'a'.repeat(60)}b`)],
])('ends %s that would go on for ever', (_, run: () => unknown) => {
  const limit = new TimeLimit()
  expect(() => limit.within(20, run, late)).toThrow('late')
  expect(limit.within(1000, () => 1, late)).toBe(1)
})
