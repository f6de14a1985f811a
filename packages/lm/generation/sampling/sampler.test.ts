import fc from 'fast-check'
import { expect, it } from 'vitest'
import { StopStrings } from '../stop-strings.js'
import { Sampler } from './sampler.js'
import { resolveSampling } from './sampling-options.js'

const plain = { temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
const draws = (logits: number[], options: ConstructorParameters<typeof Sampler>[0], count = 2000) => {
  const sampler = new Sampler({ seed: 1, ...options })
  const counts = new Array<number>(logits.length).fill(0)
  for (let i = 0; i < count; i++) counts[sampler.next(Float32Array.from(logits), [])]!++
  return counts.map((value) => value / count)
}

it('temperature 0 takes the likeliest token, the first on ties', () => {
  expect(new Sampler({ temperature: 0 }).next(Float32Array.of(1, 3, 3, 2), [])).toBe(1)
})

it('draws as the softmax says', () => {
  const logits = [0, 1, 2]
  const weights = logits.map(Math.exp)
  const total = weights.reduce((a, b) => a + b)
  for (const [index, share] of draws(logits, plain).entries()) expect(share).toBeCloseTo(weights[index]! / total, 1)
})

it('top-k keeps the k likeliest, top-p the nucleus, min-p what is near the top', () => {
  expect(draws([0, 1, 2, 3], { ...plain, topK: 2 }).map((share) => share > 0)).toEqual([false, false, true, true])
  expect(draws([0, 0, 5], { ...plain, topP: 0.5 })).toEqual([0, 0, 1])
  expect(draws([2, 2.1, 2], { ...plain, topP: 0 }, 50)).toEqual([0, 1, 0])
  expect(draws([0, 4, 5], { ...plain, minP: 0.3 }).map((share) => share > 0)).toEqual([false, true, true])
})

it('top-k draws as if all but the first k of the sorted tokens were impossible, the lower of equal ones first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 41 }),
      (values, k) => {
        const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b)
        const possible = new Set(order.slice(0, k))
        const cut = values.map((value, index) => (possible.has(index) ? value : Number.NEGATIVE_INFINITY))
        const run = (logits: number[], topK: number) => {
          const sampler = new Sampler({ ...plain, topK, seed: 3 })
          return Array.from({ length: 20 }, () => sampler.next(Float32Array.from(logits), []))
        }
        expect(run(values, k)).toEqual(run(cut, 0))
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 4000 : 200 },
  )
})

it('equal seeds draw equal tokens', () => {
  const run = (seed: number) => {
    const sampler = new Sampler({ ...plain, seed })
    return Array.from({ length: 50 }, () => sampler.next(Float32Array.of(0, 0, 0, 0), []))
  }
  expect(run(5)).toEqual(run(5))
  expect(run(5)).not.toEqual(run(6))
})

it('a repetition penalty makes repeated tokens less likely, whatever the sign of their logits', () => {
  const next = (logits: number[], history: number[]) =>
    new Sampler({ temperature: 0, repetitionPenalty: 2 }).next(Float32Array.from(logits), history)
  expect(next([3, 2], [0])).toBe(1)
  expect(next([-1, -1.5], [0])).toBe(1)
  expect(next([3, 2], [])).toBe(0)
})

it('refuses options out of range by name', () => {
  expect(() => resolveSampling({ temperature: -1 })).toThrow('temperature must be 0 (greedy) or positive, got -1')
  expect(() => resolveSampling({ topP: -0.1 })).toThrow(/topP/)
  expect(() => resolveSampling({ repetitionPenalty: 0.5 })).toThrow(/repetitionPenalty must be at least 1/)
})

it('stop strings end the text wherever the pieces are cut, and nothing of them is emitted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', 'aab'), { maxLength: 12 }),
      fc.array(fc.constantFrom('ab', 'aab', 'bb', 'abab'), { minLength: 1, maxLength: 2 }),
      (pieces, stops) => {
        const watcher = new StopStrings(stops)
        let text = ''
        let stopped = false
        for (const piece of pieces) {
          const result = watcher.push(piece)
          text += result.text
          if ((stopped = result.stop !== undefined)) break
        }
        if (!stopped) text += watcher.flush()
        const whole = pieces.join('')
        expect(stops.some((stop) => text.includes(stop))).toBe(false)
        expect(whole.startsWith(text)).toBe(true)
        if (!stopped) expect(text).toBe(whole)
        else expect(stops.some((stop) => whole.startsWith(text + stop))).toBe(true)
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 4000 : 200 },
  )
})

it('a bias beyond what a float holds forces its token', () => {
  expect(draws([3, 2, 1], { ...plain, logitBias: { 2: 1e39 } }, 50)).toEqual([0, 0, 1])
})

it.each([0, 1])('where no token can come next at temperature %d, that is an error', (temperature) => {
  const next = (logits: number[], logitBias = {}) =>
    new Sampler({ ...plain, temperature, logitBias }).next(Float32Array.from(logits), [])
  expect(() => next([Number.NaN, Number.NaN])).toThrow(expect.objectContaining({ code: 'NOT_FINITE' }))
  expect(() => next([1, 2], { 0: -1e39, 1: -1e39 })).toThrow(/ban every token/)
})

it.each([Number.NaN, 1.5, 2 ** 60])('a seed of %d is refused', (seed) => {
  expect(() => new Sampler({ seed })).toThrow(/seed must be a whole number/)
})
