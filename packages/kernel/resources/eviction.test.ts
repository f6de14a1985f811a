import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseVictims } from './eviction.js'

const enough = (needed: number) => (gone: readonly number[]) => gone.reduce((sum, bytes) => sum + bytes, 0) >= needed

test('the fewest are taken, the least recently used of those', () => {
  expect(chooseVictims([1, 2, 5, 4], enough(4))).toEqual([5])
  expect(chooseVictims([3, 2, 2, 3], enough(5))).toEqual([3, 2])
  expect(chooseVictims([1, 1, 1], enough(3))).toEqual([1, 1, 1])
  expect(chooseVictims([1, 1, 1], enough(4))).toBeUndefined()
  expect(chooseVictims([], enough(0))).toBeUndefined()
})

test('whatever the candidates: it fits, nobody is taken needlessly, and few candidates are searched for the fewest', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 100 }), (candidates, needed) => {
      const gone = chooseVictims(candidates, enough(needed))
      const total = candidates.reduce((sum, bytes) => sum + bytes, 0)
      expect(gone !== undefined).toBe(total >= needed)
      if (gone === undefined) return
      expect(enough(needed)(gone)).toBe(true)
      for (let i = 0; i < gone.length; i++) expect(enough(needed)(gone.toSpliced(i, 1))).toBe(false)
      if (candidates.length > 7) return
      const largest = candidates.toSorted((a, b) => b - a)
      expect(gone.length).toBe(largest.findIndex((_, i) => enough(needed)(largest.slice(0, i + 1))) + 1)
    }),
  )
})

test('among very many candidates an answer comes soon', () => {
  let asked = 0
  const gone = chooseVictims(
    Array.from({ length: 60 }, () => 1),
    (some) => {
      asked++
      return some.length >= 30
    },
  )
  expect(gone).toHaveLength(30)
  expect(asked).toBeLessThan(300)
})
