import { readFileSync } from 'node:fs'
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lastSafeCut } from './pre-tokens.js'
import { anyText, runs, wellFormed } from './text.test.support.js'
import { TokenBuffer } from './token-buffer.js'
import { Tokenizer } from './tokenizer.js'

const golden = (name: string): string => readFileSync(new URL(`../../tokenizer/golden/${name}`, import.meta.url), 'utf8')
const json = JSON.parse(golden('reference.json')) as object
const tokenizer = Tokenizer.fromJson(json)

describe('byte-level BPE', () => {
  test('gives the ids of the reference implementation, and the text back', () => {
    const rows = JSON.parse(golden('ids.json')) as { text: string; ids: number[] }[]
    expect(rows.length).toBeGreaterThan(1000)
    for (const { text, ids } of rows) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(text)
    }
  })

  test('gives the ids of @huggingface/tokenizers on any text', () => {
    const theirs = new HuggingFace(json, {})
    fc.assert(
      fc.property(anyText(), (any) => {
        // There, added tokens are always taken for themselves, and \s is JavaScript's: with U+FEFF, without U+0085.
        const text = any.replace(/[\u0085\ufeff]|<\|\w+\|>/g, '')
        expect(tokenizer.encode(text)).toEqual(text === '' ? [] : theirs.encode(text).ids)
      }),
      runs(300),
    )
  })

  test('loses nothing of any text', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text))
        expect(tokenizer.decode(tokenizer.encode(text, { special: true }))).toBe(wellFormed(text))
      }),
      runs(500),
    )
  })

  test('a stream gives the same text, in whole characters', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText().map((text) => tokenizer.encode(text)),
          fc.array(fc.nat(tokenizer.vocabSize - 1)),
        ),
        (ids) => {
          const decoder = tokenizer.decoder()
          const pieces = ids.map((id) => decoder.push(id))
          for (const piece of pieces) expect(wellFormed(piece)).toBe(piece)
          expect(pieces.join('') + decoder.end()).toBe(tokenizer.decode(ids))
        },
      ),
      runs(300),
    )
  })

  test('a stream holds an emoji back until its last byte is there', () => {
    const ids = [...Buffer.from('👍')].map((byte) => byteId(byte))
    const decoder = tokenizer.decoder()
    expect(ids.map((id) => decoder.push(id))).toEqual(['', '', '', '👍'])
    expect(decoder.end()).toBe('')
    decoder.push(ids[0]!)
    expect(decoder.end()).toBe('\ufffd')
  })

  test('special tokens in text are text, unless asked', () => {
    const text = 'a<|im_end|>b<|endoftext|>'
    expect(tokenizer.encode(text).some((id) => id < 3)).toBe(false)
    const ids = tokenizer.encode(text, { special: true })
    expect(ids).toEqual([...tokenizer.encode('a'), 2, ...tokenizer.encode('b'), 0])
    expect(tokenizer.decode(ids)).toBe(text)
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe('ab')
  })

  test('knows its tokens', () => {
    expect([tokenizer.bosId, tokenizer.eosId, tokenizer.vocabSize]).toEqual([0, 0, 700])
    expect(tokenizer.tokenToId('<|im_start|>')).toBe(1)
    expect(tokenizer.idToToken(tokenizer.tokenToId('Ġthe')!)).toBe('Ġthe')
    expect(Buffer.from(tokenizer.tokenBytes(tokenizer.tokenToId('Ġthe')!)).toString()).toBe(' the')
    expect(tokenizer.tokenToId('no such token')).toBeUndefined()
  })

  test('an id outside of the vocabulary is an error that names it', () => {
    for (const id of [700, -1, 1.5]) expect(() => tokenizer.decode([5, id])).toThrow(new RegExp(`No token has the id ${id}`))
  })

  test('text cut where it may be cut gives the same ids', () => {
    fc.assert(
      fc.property(anyText(), fc.nat(300), (text, to) => {
        const cut = lastSafeCut(text, 0, to)
        if (cut < 0) return
        expect([...tokenizer.encode(text.slice(0, cut)), ...tokenizer.encode(text.slice(cut))]).toEqual(tokenizer.encode(text))
      }),
      runs(500),
    )
  })

  test('a megabyte of one letter, or without spaces, takes no quadratic time', () => {
    // Processor time, so that a busy machine changes nothing; quadratic time would be hours.
    const started = process.cpuUsage()
    for (const text of ['a'.repeat(1_000_000), 'the'.repeat(300_000), ' '.repeat(1_000_000)]) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    }
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(30)
  })

  test('a full cache of words changes nothing', () => {
    const tokens = new TokenBuffer()
    const text = Array.from({ length: 140_000 }, (_, i) => ` ${i.toString(36).replace(/\d/g, 'z')}q${i}`).join('')
    tokenizer.encodeInto(text, tokens)
    expect(tokenizer.decode(tokens.ids)).toBe(text)
    expect(tokenizer.encode(' the world')).toEqual(Tokenizer.fromJson(json).encode(' the world'))
  })
})

function byteId(byte: number): number {
  const id = Array.from({ length: 256 }, (_, i) => i + 3).find((candidate) => tokenizer.tokenBytes(candidate)[0] === byte)
  return id!
}
