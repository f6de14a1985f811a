import fc from 'fast-check'
import { expect, test } from 'vitest'
import { characterTokenizer } from './character-tokenizer.js'
import { anyText, runs, wellFormed } from './text.test.support.js'
import { Tokenizer } from './tokenizer.js'

test('the characters of a text are its tokens, in order of code points after the special ones', async () => {
  const tokenizer = await characterTokenizer(['hé🦔', ' h\n'])
  expect(Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id))).toEqual([
    '<|endoftext|>',
    '<|im_start|>',
    '<|im_end|>',
    '<|unk|>',
    '\n',
    ' ',
    'h',
    'é',
    '🦔',
  ])
  expect(tokenizer.encode('h🦔h')).toEqual([6, 8, 6])
  expect([tokenizer.bosId, tokenizer.eosId]).toEqual([0, 0])
})

test('any text comes back from the tokenizer of its own characters', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyText().filter((text) => text !== '' && text === wellFormed(text)),
      async (text) => {
        const tokenizer = await characterTokenizer([text])
        const ids = tokenizer.encode(text)
        expect(ids).toHaveLength([...text].length)
        expect(tokenizer.decode(ids)).toBe(text)
        const decoder = tokenizer.decoder()
        expect(ids.map((id) => decoder.push(id)).join('') + decoder.end()).toBe(text)
      },
    ),
    runs(100),
  )
})

test('what it does not know, lone surrogates included, is the unknown token', async () => {
  const tokenizer = await characterTokenizer(['ab\ud800'])
  expect(tokenizer.decode(tokenizer.encode('a?b\ud800'))).toBe('a<|unk|>b<|unk|>')
  expect(tokenizer.decode(tokenizer.encode('a?b'), { skipSpecial: true })).toBe('ab')
})

test('special tokens spelled out are text, unless they are asked for', async () => {
  const tokenizer = await characterTokenizer(['<|im_end|>'])
  expect(tokenizer.encode('<|im_end|>')).toHaveLength(10)
  expect(tokenizer.encode('a<|im_end|>', { special: true })).toEqual([3, 2])
})

test('its tokenizer.json gives the same tokenizer, and a broken one is refused', async () => {
  const tokenizer = await characterTokenizer(['to be or not to be'])
  const json = structuredClone(tokenizer.toJson()) as { model: { vocab: Record<string, number> } }
  const again = Tokenizer.fromJson(json)
  expect(again.encode('not so')).toEqual(tokenizer.encode('not so'))
  expect(again.toJson()).toEqual(tokenizer.toJson())
  json.model.vocab.n = 900
  expect(() => Tokenizer.fromJson(json)).toThrow(/holes or twins/)
})
