import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runs } from '../tokenizer/text.test.support.js'
import { Permutation } from './permutation.js'

const list = (size: number, seed: number, stream: number) => {
  const permutation = new Permutation(size, seed, stream)
  return Array.from({ length: size }, (_, i) => permutation.at(i))
}

describe('permutation', () => {
  test('gives every number once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(), fc.nat(), (size, seed, stream) => {
        expect(list(size, seed, stream).sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
      }),
      runs(100),
    )
  })

  test('is another one for another seed or stream', () => {
    const orders = [list(1000, 1, 0), list(1000, 2, 0), list(1000, 1, 1), list(1000, 2 ** 40 + 1, 0)].map((order) => order.join())
    expect(new Set(orders).size).toBe(4)
  })

  test('leaves hardly anything in place, and neighbours apart', () => {
    const order = list(10_000, 7, 3)
    expect(order.filter((to, from) => to === from).length).toBeLessThan(10)
    // Of a random order the mean distance of neighbours is a third of the size.
    const distance = order.slice(1).reduce((sum, to, i) => sum + Math.abs(to - order[i]!), 0) / 9_999
    expect(distance).toBeGreaterThan(3000)
    expect(distance).toBeLessThan(3700)
  })

  test('covers four thousand million numbers without a list of them', () => {
    const permutation = new Permutation(2 ** 32, 1, 1)
    const some = Array.from({ length: 1000 }, (_, i) => permutation.at(i))
    expect(new Set(some).size).toBe(1000)
    expect(Math.max(...some)).toBeGreaterThan(2 ** 31)
    expect(Math.max(...some)).toBeLessThan(2 ** 32)
  })
})
