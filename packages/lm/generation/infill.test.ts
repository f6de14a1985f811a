import { expect, test } from 'vitest'
import { trainBpe } from '../tokenizer/index.js'
import { infillPrompt } from './infill.js'

const gap = { prefix: 'def f(<|fim_suffix|>', suffix: '\n  return x' }

test('a gap is marked as the vocabulary can, and only by us', async () => {
  const marks = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>']
  const { tokenizer } = await trainBpe({
    texts: ['def f(x): return x'],
    vocabSize: 300,
    specialTokens: ['<|endoftext|>', ...marks],
  })
  const [prefix, suffix, middle] = marks.map((mark) => tokenizer.tokenToId(mark)!)
  const ids = infillPrompt(tokenizer, gap)
  expect(ids).toEqual([prefix, ...tokenizer.encode(gap.prefix), suffix, ...tokenizer.encode(gap.suffix), middle])
  expect(ids.filter((id) => id === suffix)).toHaveLength(1)
})

test('Codestral writes the suffix first', async () => {
  const { tokenizer } = await trainBpe({ texts: ['a b'], vocabSize: 262, specialTokens: ['[PREFIX]', '[SUFFIX]'] })
  const [prefix, suffix] = ['[PREFIX]', '[SUFFIX]'].map((mark) => tokenizer.tokenToId(mark)!)
  expect(infillPrompt(tokenizer, { prefix: 'a', suffix: 'b' })).toEqual([
    suffix,
    ...tokenizer.encode('b'),
    prefix,
    ...tokenizer.encode('a'),
  ])
})

test('a model without marks cannot look ahead', async () => {
  const { tokenizer } = await trainBpe({ texts: ['a b'], vocabSize: 260 })
  expect(() => infillPrompt(tokenizer, gap)).toThrow(
    expect.objectContaining({ code: 'INFILL_UNSUPPORTED', message: expect.stringContaining('Qwen2.5-Coder') }),
  )
})
