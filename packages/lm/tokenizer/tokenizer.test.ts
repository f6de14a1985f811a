import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runs } from './text.test.support.js'
import { Tokenizer } from './tokenizer.js'
import { trainBpe } from './train-bpe.js'

/** A tokenizer of Llama 2's kind: SentencePiece spaces, single bytes for what it has no token for. */
function sentencePiece(): Record<string, unknown> {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const names = ['<unk>', '<s>', '</s>', ...bytes, '▁', 'h', 'i', 't', '▁h', '▁hi', '.']
  return {
    version: '1.0',
    added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges: ['▁ h', '▁h i'],
    },
  }
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-tokenizer-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('tokenizer files', () => {
  test('what is saved is loaded, from the file and from its folder', async () => {
    const { tokenizer } = await trainBpe({ texts: ['once upon a time once upon a time'], vocabSize: 270 })
    const file = join(folder, 'tokenizer.json')
    await tokenizer.save(file)
    for (const path of [file, folder]) {
      const loaded = await Tokenizer.load(path)
      expect(loaded.toJson()).toEqual(tokenizer.toJson())
      expect(loaded.encode('once upon 12 times')).toEqual(tokenizer.encode('once upon 12 times'))
    }
    await writeFile(join(folder, 'tokenizer_config.json'), '{"eos_token":{"content":"<|im_end|>"},"bos_token":null}')
    expect(await Tokenizer.load(folder)).toMatchObject({ bosId: 0, eosId: 2 })
    await rm(join(folder, 'tokenizer_config.json'))
  })

  test('a missing file is named', async () => {
    await expect(Tokenizer.load(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: /none\.json/,
    })
  })

  test('a truncated file is named', async () => {
    const file = join(folder, 'half.json')
    const { tokenizer } = await trainBpe({ texts: ['once upon a time'], vocabSize: 259 })
    await tokenizer.save(file)
    const whole = await readFile(file, 'utf8')
    await writeFile(file, whole.slice(0, whole.length / 2))
    await expect(Tokenizer.load(file)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID', message: /half\.json is not JSON/ })
  })

  test('old merges, written as one string, are read', async () => {
    const { tokenizer } = await trainBpe({ texts: ['once upon a time once upon a time'], vocabSize: 270 })
    const json = tokenizer.toJson() as { model: { merges: string[][] } }
    const old = { ...json, model: { ...json.model, merges: json.model.merges.map((pair) => pair.join(' ')) } }
    expect(Tokenizer.fromJson(old).toJson()).toEqual(json)
  })

  test.each([
    ['no object', () => 5, /not an object/],
    ['no model', () => ({ added_tokens: [] }), /with a "model"/],
    [
      'a merge of unknown tokens',
      (json: Json) => ({ ...json, model: { ...json.model, merges: [['a', 'zzz']] } }),
      /merge 0 needs the token "zzz"/,
    ],
    [
      'a merge of three',
      (json: Json) => ({ ...json, model: { ...json.model, merges: [['a', 'b', 'c']] } }),
      /merge 0 is .* not a pair/,
    ],
    ['an id that is no number', (json: Json) => withVocab(json, { Ġx: 'seven' }), /"Ġx" the id "seven"/],
    ['a token of unknown characters', (json: Json) => withVocab(json, { '\u4e00': 261 }), /stands for no byte/],
    [
      'a missing byte',
      (json: Json) => ({ ...json, model: { ...json.model, vocab: { a: 3, b: 4 }, merges: [] } }),
      /lacks 254 of the 256/,
    ],
    [
      'an id that is the row of no table',
      (json: Json) => ({ ...(withVocab(json, { Ġx: 4e9 }) as Json), normalizer: { type: 'NFC' } }),
      /"Ġx" has the id 4000000000, not one below 2097152/,
    ],
    ['an unknown model', (json: Json) => ({ ...json, model: { type: 'Magic' } }), /model type Magic/],
    ['a broken added token', (json: Json) => ({ ...json, added_tokens: [{ id: -1, content: 'x' }] }), /added token 0/],
  ])('%s is an error that says so', async (_, change, message) => {
    const { tokenizer } = await trainBpe({ texts: ['aa bb'], vocabSize: 261, minFrequency: 1 })
    const broken = change(tokenizer.toJson() as Json)
    expect(() => Tokenizer.fromJson(broken)).toThrow(
      expect.objectContaining({ code: 'TOKENIZER_INVALID', message: expect.stringMatching(message) }),
    )
  })

  test('a mutated tokenizer.json loads or is refused, and never crashes', async () => {
    const { tokenizer } = await trainBpe({ texts: ['once upon a time once upon a time'], vocabSize: 265 })
    const texts = [JSON.stringify(tokenizer.toJson()), JSON.stringify(sentencePiece())]
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 32, max: 126 })), { maxLength: 4 }),
        (text, edits) => {
          const bytes = Buffer.from(text)
          for (const [at, value] of edits) bytes[at % bytes.length] = value
          let json: unknown
          try {
            json = JSON.parse(bytes.toString())
          } catch {
            return
          }
          try {
            const loaded = Tokenizer.fromJson(json)
            loaded.decode(loaded.encode('hi once', { special: true }))
          } catch (error) {
            expect(error).toMatchObject({ name: 'LmError' })
          }
        },
      ),
      runs(300),
    )
  })
})

describe("somebody else's tokenizer.json", () => {
  const tokenizer = Tokenizer.fromJson(sentencePiece())

  test('encodes and decodes as it says', () => {
    expect(tokenizer.encode('hi hi.').map((id) => tokenizer.idToToken(id))).toEqual(['▁hi', '▁hi', '.'])
    expect(tokenizer.decode(tokenizer.encode('hi 👍.'))).toBe('hi 👍.')
    expect(tokenizer.encode('')).toEqual([])
    expect(tokenizer.decode([])).toBe('')
    expect([tokenizer.bosId, tokenizer.eosId]).toEqual([1, 2])
  })

  test('special tokens in text are text, unless asked', () => {
    expect(tokenizer.encode('hi</s>')).not.toContain(2)
    expect(tokenizer.encode('hi</s>', { special: true })).toContain(2)
    expect(tokenizer.decode([2, ...tokenizer.encode('hi')], { skipSpecial: true })).toBe('hi')
  })

  test('a Unigram model does not take special tokens out of text either', () => {
    const unigram = Tokenizer.fromJson({
      added_tokens: [{ id: 1, content: '</s>', special: true }],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: {
        type: 'Unigram',
        unk_id: 0,
        vocab: [
          ['<unk>', 0],
          ['</s>', -1],
          ['a', -2],
          ['<', -9],
          ['/', -9],
          ['s', -9],
          ['>', -9],
        ],
      },
    })
    expect(unigram.encode('a</s>')).toEqual([2, 3, 4, 5, 6])
    expect(unigram.encode('a</s>', { special: true })).toEqual([2, 1])
  })

  test('a stream gives the same text, never half a character', () => {
    const ids = tokenizer.encode('hi 👍 hi. 你 hi')
    const decoder = tokenizer.decoder()
    const pieces = ids.map((id) => decoder.push(id))
    for (const piece of pieces) expect(piece).not.toContain('\ufffd')
    expect(pieces.join('') + decoder.end()).toBe(tokenizer.decode(ids))
  })

  test('a token has the bytes of its text', () => {
    expect(tokenizer.encode('hi👍').map((id) => Buffer.from(tokenizer.tokenBytes(id)).toString('latin1'))).toEqual([
      ' hi',
      'ð',
      '\u009f',
      '\u0091',
      '\u008d',
    ])
  })
})

type Json = { readonly model: { readonly vocab: Record<string, unknown> } }

function withVocab(json: Json, more: Record<string, unknown>): unknown {
  return { ...json, model: { ...json.model, vocab: { ...json.model.vocab, ...more } } }
}
