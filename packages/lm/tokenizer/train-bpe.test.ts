import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyText, runs, wellFormed } from './text.test.support.js'
import { type BpeProgress, trainBpe } from './train-bpe.js'

const golden = (name: string): string => readFileSync(new URL(`../../tokenizer/golden/${name}`, import.meta.url), 'utf8')

describe('training a byte-level BPE', () => {
  test('learns what the reference implementation learns, and writes the same tokenizer.json', async () => {
    const { tokenizer, warnings } = await trainBpe({ texts: [golden('corpus.txt')], vocabSize: 700 })
    expect(tokenizer.toJson()).toEqual(JSON.parse(golden('reference.json')))
    expect(warnings).toEqual([])
  })

  test('gives the same tokenizer twice, whatever pieces the documents come in', async () => {
    const text = golden('corpus.txt')
    const paragraphs = text.split(/(?<=\S)(?=\n\n)/)
    async function* stream(): AsyncGenerator<string> {
      yield* paragraphs
    }
    const whole = await trainBpe({ texts: [text], vocabSize: 600 })
    const pieces = await trainBpe({ texts: stream(), vocabSize: 600 })
    expect(JSON.stringify(pieces.tokenizer.toJson())).toBe(JSON.stringify(whole.tokenizer.toJson()))
  })

  test('a tokenizer from any texts loses nothing of any other text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyText(), { minLength: 1, maxLength: 4 }), anyText(), async (texts, text) => {
        const { tokenizer } = await trainBpe({ texts: [...texts, 'x'], vocabSize: 300, minFrequency: 1 })
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text))
        for (const learned of texts) expect(tokenizer.decode(tokenizer.encode(learned))).toBe(wellFormed(learned))
      }),
      runs(100),
    )
  })

  test('separator lines are not learned from', async () => {
    const documents = Array.from({ length: 50 }, (_, i) => `story ${i} <|endoftext|> in a line stays\n`)
    const separated = documents.flatMap((document) => [document, '<|endoftext|>\n', document, '<|endoftext|>\r\n']).join('')
    const without = await trainBpe({ texts: [...documents.flatMap((document) => [document, document]), 'end\n'], vocabSize: 320 })
    const withThem = await trainBpe({ texts: [separated, 'end\n<|endoftext|>'], vocabSize: 320 })
    expect(withThem.tokenizer.toJson().model).toEqual(without.tokenizer.toJson().model)
  })

  test('of equally frequent pairs the one with the smaller ids comes first', async () => {
    const { tokenizer } = await trainBpe({ texts: ['ba dc', 'ba dc'], vocabSize: 261 })
    // In "ba dc" b-a, ␣-d and d-c occur twice each. Then d-c is gone: "␣d" took the d.
    expect((tokenizer.toJson().model as { merges: unknown }).merges).toEqual([
      ['b', 'a'],
      ['d', 'c'],
    ])
  })

  test('text that cannot fill the vocabulary gives a smaller one, and says so', async () => {
    const { tokenizer, warnings } = await trainBpe({ texts: ['abc abc'], vocabSize: 5000 })
    expect(tokenizer.vocabSize).toBeLessThan(270)
    expect(warnings).toEqual([expect.stringContaining(`a vocabulary of ${tokenizer.vocabSize} tokens, not 5000`)])
  })

  test('takes other special tokens', async () => {
    const { tokenizer } = await trainBpe({ texts: ['abc abc'], vocabSize: 300, specialTokens: ['<s>', '</s>'] })
    expect([tokenizer.bosId, tokenizer.eosId]).toEqual([0, 1])
    expect(tokenizer.encode('a</s>', { special: true }).at(-1)).toBe(1)
  })

  test('reports progress and stops when aborted', async () => {
    const seen: BpeProgress[] = []
    await trainBpe({ texts: ['abc abc'], vocabSize: 260, onProgress: (progress) => seen.push(progress) })
    expect(seen[0]).toEqual({ phase: 'counting', bytes: 7 })
    expect(seen.at(-1)).toEqual({ phase: 'merging', tokens: 260, total: 260 })
    await expect(trainBpe({ texts: ['abc'], vocabSize: 260, signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  })

  test('impossible options and missing text are errors', async () => {
    await expect(trainBpe({ texts: ['a'], vocabSize: 100 })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: /need 259/,
    })
    await expect(trainBpe({ texts: ['a'], vocabSize: 300, specialTokens: ['x'] })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
    await expect(trainBpe({ texts: ['', '<|endoftext|>\n'], vocabSize: 300 })).rejects.toMatchObject({ code: 'DATA_EMPTY' })
  })
})
