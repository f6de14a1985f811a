import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KneserNey } from './kneser-ney.js'

/**
 * The equations of Chen and Goodman as they are written, with maps of strings: p(w | c) for the highest order from occurrences, for lower ones
 * from the numbers of different predecessors. `^` is the predecessor of the text's beginning.
 */
function reference(text: readonly number[], vocabSize: number, order: number) {
  const occurrences = (n: number) => {
    const counts = new Map<string, number>()
    for (let i = 0; i + n <= text.length; i++) {
      const gram = text.slice(i, i + n).join(' ')
      counts.set(gram, (counts.get(gram) ?? 0) + 1)
    }
    return counts
  }
  const continuations = (n: number) => {
    const before = new Map<string, Set<string>>()
    for (let i = 0; i + n <= text.length; i++) {
      const gram = text.slice(i, i + n).join(' ')
      before.set(gram, (before.get(gram) ?? new Set()).add(i === 0 ? '^' : String(text[i - 1])))
    }
    return new Map([...before].map(([gram, set]) => [gram, set.size]))
  }
  const counts = Array.from({ length: order }, (_, i) => (i + 1 === order ? occurrences(order) : continuations(i + 1)))
  const discounts = counts.map((grams) => {
    const n = (k: number) => [...grams.values()].filter((count) => count === k).length
    const y = n(1) / (n(1) + 2 * n(2))
    const d = [0, 1, 2, 3].map((k) => (k === 0 ? 0 : k - ((k + 1) * y * n(k + 1)) / n(k)))
    return d.every((value, k) => value >= 0 && value <= k) ? d : [0, 0.5, 1, 1.5]
  })
  const probability = (context: readonly number[], word: number, n: number): number => {
    if (n === 0) return 1 / vocabSize
    const shorter = () => probability(context.slice(1), word, n - 1)
    const start = context.map((token) => `${token} `).join('')
    const following = [...counts[n - 1]!].filter(([gram]) => gram.startsWith(start) && gram.split(' ').length === n)
    const total = following.reduce((sum, [, count]) => sum + count, 0)
    if (total === 0) return shorter()
    const d = (count: number) => discounts[n - 1]![Math.min(count, 3)]!
    const count = counts[n - 1]!.get(`${start}${word}`) ?? 0
    const gamma = following.reduce((sum, [, other]) => sum + d(other), 0) / total
    return Math.max(count - d(count), 0) / total + gamma * shorter()
  }
  return (tokens: readonly number[], at: number) => {
    const context = tokens.slice(Math.max(0, at - order + 1), at)
    return probability(context, tokens[at]!, context.length + 1)
  }
}

/** Words of a rhyme: enough of them occur one to four times for the discounts to be computed. */
const rhyme =
  'the old king and the old queen and the king of the old land of the king went to the queen of the land and the old queen went to the king'
const words = [...new Set(rhyme.split(' '))]
const rhymeTokens = rhyme.split(' ').map((word) => words.indexOf(word))

it.each([1, 2, 3, 5])('is what the equations say, at order %i', async (order) => {
  const model = await KneserNey.train(rhymeTokens, { vocabSize: 12, order })
  const expected = reference(rhymeTokens, 12, order)
  for (const tokens of [rhymeTokens, [...rhymeTokens].reverse(), [3, 11, 0, 1, 2, 0, 1, 9]])
    for (let at = 0; at < tokens.length; at++) expect(model.probability(tokens, at)).toBeCloseTo(expected(tokens, at), 12)
})

const text = fc.array(fc.nat(5), { maxLength: 120 })

it('is what the equations say for any text', async () => {
  await fc.assert(
    fc.asyncProperty(text, text, fc.integer({ min: 1, max: 4 }), async (learned, tokens, order) => {
      const model = await KneserNey.train(learned, { vocabSize: 6, order })
      const expected = reference(learned, 6, order)
      for (let at = 0; at < Math.min(tokens.length, 20); at++)
        expect(model.probability(tokens, at)).toBeCloseTo(expected(tokens, at), 12)
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 1000 : 50 },
  )
})

it('after any context the probabilities of all tokens add up to one, and none is zero', async () => {
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(7), { maxLength: 6 }), async (learned, context) => {
      const model = await KneserNey.train(learned, { vocabSize: 8 })
      const all = Array.from({ length: 8 }, (_, token) => model.probability([...context, token], context.length))
      expect(all.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12)
      expect(Math.min(...all)).toBeGreaterThan(0)
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 4000 : 200 },
  )
})

it('stops when its signal says so', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(KneserNey.train(rhymeTokens, { vocabSize: 12, signal })).rejects.toThrow('enough')
})
