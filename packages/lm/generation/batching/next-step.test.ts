import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextStep, pieces, type Step } from './next-step.js'

it('all that generate go on together', () => {
  const generating = { pending: 1, served: 0 }
  expect(nextStep([generating, generating, generating], undefined)).toEqual({ kind: 'decode', readers: [0, 1, 2] })
})

it('a prompt alone is read in long pieces, beside streams in short ones, every second step', () => {
  const prompt = { pending: 5000, served: 0 }
  expect(nextStep([prompt], 'read')).toEqual({ kind: 'read', reader: 0, count: pieces.alone })
  const both = [{ pending: 1, served: 0 }, prompt]
  expect(nextStep(both, 'decode')).toEqual({ kind: 'read', reader: 1, count: pieces.beside })
  expect(nextStep(both, 'read')).toEqual({ kind: 'decode', readers: [0] })
})

it('whatever comes, streams wait for one piece at most, and prompts for one piece of each other prompt', () => {
  const texts = fc.array(fc.record({ prompt: fc.integer({ min: 1, max: 3000 }), answer: fc.integer({ min: 1, max: 40 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  fc.assert(
    fc.property(texts, (given) => {
      let readers = given.map(({ prompt, answer }) => ({ pending: prompt, answer, served: 0, unserved: 0 }))
      let previous: Step['kind'] | undefined
      for (let step = 1; readers.length > 0; step++) {
        const next = nextStep(readers, previous)
        if (next.kind === 'decode') {
          expect(next.readers).toEqual([...readers.keys()].filter((index) => readers[index]!.pending === 1))
          for (const index of next.readers) readers[index]!.answer--
        } else {
          expect(previous === 'read' && readers.some(({ pending }) => pending === 1)).toBe(false)
          for (const reader of readers) if (reader.pending > 1) expect(++reader.unserved).toBeLessThanOrEqual(given.length)
          const reader = readers[next.reader]!
          Object.assign(reader, { served: step, unserved: 0, pending: Math.max(1, reader.pending - next.count) })
        }
        previous = next.kind
        readers = readers.filter(({ answer }) => answer > 0)
      }
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 1000 : 40 },
  )
})
