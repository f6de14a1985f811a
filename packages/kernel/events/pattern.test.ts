import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matcher } from './pattern.js'

/** The meaning, without care for time. */
function means(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return name.length === 0
  if (name.length === 0) return false
  if (first === '**') return means(rest, name.slice(1)) || means(pattern, name.slice(1))
  return (first === '*' || first === name[0]) && means(rest, name.slice(1))
}

test('a pattern matches what its meaning says, for any pattern and name', () => {
  const segments = fc.array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 7 })
  const wanted = fc.array(fc.constantFrom('a', 'b', '*', '**'), { minLength: 2, maxLength: 6 })
  fc.assert(
    fc.property(wanted, segments, (pattern, name) => {
      const matches = matcher(pattern.join('.'))
      const expected = means(pattern, name)
      expect(matches?.(name.join('.')) ?? pattern.join('.') === name.join('.')).toBe(expected)
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 20_000 : 1000 },
  )
})

test('* alone means everything, as ** does', () => {
  for (const pattern of ['*', '**']) for (const name of ['a', 'a.b.c', '', '*']) expect(matcher(pattern)!(name)).toBe(true)
})

test('a pattern made to take long takes no longer than others', () => {
  const pattern = `${'**.'.repeat(2000)}x`
  expect(matcher(pattern)!('a.'.repeat(20_000))).toBe(false)
})

test('a star within a segment is an error that says what to write', () => {
  expect(() => matcher('model.*ed')).toThrow(
    "'*ed' in the event pattern 'model.*ed' is part of a segment. Write whole segments: 'a.*', 'a.**', '**'.",
  )
})
