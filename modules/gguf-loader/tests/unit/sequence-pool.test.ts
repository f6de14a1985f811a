import { expect, test } from 'vitest'
import type { LlamaSequence } from '../../llama-library.js'
import { SequencePool } from '../../sequence-pool.js'

const [a, b] = [{ name: 'a' }, { name: 'b' }] as unknown as [LlamaSequence, LlamaSequence]

test('a text goes to the sequence that knows most of it', async () => {
  const pool = new SequencePool([a, b])
  const lend = (prompt: number[]) => pool.lend(prompt, async (sequence) => ({ known: prompt, result: sequence }))
  const both = await Promise.all([lend([1, 2]), lend([5, 6])])
  expect(new Set(both).size).toBe(2)
  expect(await lend([5, 6, 7])).toBe(both[1])
  expect(await lend([1, 9])).toBe(both[0])
})

test('who comes when none is free waits, in order, also behind one that fails', async () => {
  const pool = new SequencePool([a])
  const seen: number[] = []
  const work = (n: number) =>
    pool.lend([n], async () => {
      await Promise.resolve()
      seen.push(n)
      if (n === 1) throw new Error('broken')
      return { known: [n], result: n }
    })
  const all = await Promise.allSettled([0, 1, 2].map(work))
  expect(seen).toEqual([0, 1, 2])
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})
