import { beforeAll, describe, expect, it } from 'vitest'
import { createConfig } from '../config.js'
import { Tokenizer } from '../tokenizer/index.js'
import type { TypedValue } from './gguf-encode.js'
import type { GgufMetadata, GgufValue } from './gguf-header.js'
import { tokenizerFromGguf, tokenizerMetadata } from './gguf-tokenizer.js'
import { loadSentencePiece } from './golden.test.support.js'

/** Metadata as a file would give them back. */
const asRead = (metadata: Readonly<Record<string, TypedValue>>): GgufMetadata =>
  new Map(Object.entries(metadata).map(([key, { value }]) => [key, value as GgufValue]))

const configOf = (vocabSize: number) =>
  createConfig({ vocabSize, dim: 32, layers: 1, heads: 2, context: 8, bosId: 1, eosIds: [2] })

describe("SentencePiece's BPE", () => {
  let golden: Awaited<ReturnType<typeof loadSentencePiece>>
  beforeAll(async () => {
    golden = await loadSentencePiece()
  })

  it("out of a GGUF file gives SentencePiece's ids, and the text back", () => {
    const tokenizer = Tokenizer.fromJson(tokenizerFromGguf(golden.metadata, 'x.gguf'))
    for (const [index, text] of golden.texts.entries()) {
      expect(tokenizer.encode(text), text).toEqual(golden.ids[index])
      expect(tokenizer.decode(golden.ids[index]!)).toBe(text.replaceAll('\u2581', ' '))
    }
  })

  it('keeps its ids when it is written and read again', () => {
    const json = tokenizerFromGguf(golden.metadata, 'x.gguf')
    const written = tokenizerMetadata({ json }, configOf(golden.kinds.length + 2))
    expect(written['tokenizer.ggml.model']?.value).toBe('llama')
    expect([...(written['tokenizer.ggml.token_type']!.value as Int32Array)]).toEqual([...golden.kinds, 5, 5])
    const again = Tokenizer.fromJson(tokenizerFromGguf(asRead(written), 'y.gguf'))
    for (const [index, text] of golden.texts.entries()) expect(again.encode(text), text).toEqual(golden.ids[index])
  })

  it('is refused where spaces are treated otherwise, or scores are missing', () => {
    const json = { ...tokenizerFromGguf(golden.metadata, 'x.gguf'), pre_tokenizer: { type: 'Whitespace' } }
    expect(() => tokenizerMetadata({ json }, configOf(golden.kinds.length))).toThrow(/it treats spaces by .*"Whitespace"/)
    const scoreless = new Map(golden.metadata).set('tokenizer.ggml.scores', new Float32Array(3))
    expect(() => tokenizerFromGguf(scoreless, 'x.gguf')).toThrow(/x.gguf lacks tokenizer.ggml.scores/)
  })
})

describe('a byte-level BPE', () => {
  const vocab = Object.fromEntries(['a', 'b', 'ab', 'Ġ'].map((token, id) => [token, id]))
  const json = (change: object = {}) => ({
    added_tokens: [{ id: 4, content: '<end>', special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    model: { type: 'BPE', vocab, merges: ['a b'] },
    ...change,
  })
  const llama3 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  const split = (pattern: string) => ({
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated' },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    ],
  })

  it.each([
    ['gpt-2', {}],
    ['llama-bpe', { pre_tokenizer: split(llama3) }],
    ['qwen2', { pre_tokenizer: split(llama3.replace('{1,3}', '')), normalizer: { type: 'NFC' } }],
    [
      'smollm',
      {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            { type: 'Digits', individual_digits: true },
            { type: 'ByteLevel', add_prefix_space: false },
          ],
        },
      },
    ],
  ])('that cuts like %s is written under that name, and read again', (pre, change) => {
    const written = tokenizerMetadata({ json: json(change) }, configOf(6))
    expect(written['tokenizer.ggml.pre']?.value).toBe(pre)
    expect(written['tokenizer.ggml.tokens']?.value).toEqual(['a', 'b', 'ab', 'Ġ', '<end>', '[PAD5]'])
    expect([...(written['tokenizer.ggml.token_type']!.value as Int32Array)]).toEqual([1, 1, 1, 1, 3, 5])
    const read = tokenizerFromGguf(asRead(written), 'x.gguf')
    expect(tokenizerMetadata({ json: read }, configOf(6))).toEqual(written)
  })

  it.each([
    [{ pre_tokenizer: split('\\w+') }, 'pre_tokenizer {"type":"Sequence"'],
    [{ normalizer: { type: 'Lowercase' } }, 'normalizer {"type":"Lowercase"}'],
    [{ model: { type: 'Unigram', vocab: [] } }, 'model type "Unigram"'],
  ])('that llama.cpp does not have is refused: %o', (change, what) => {
    expect(() => tokenizerMetadata({ json: json(change) }, configOf(6))).toThrow(
      `This tokenizer cannot be written for llama.cpp: ${what}`,
    )
  })

  it.each([
    ['tokenizer.ggml.pre', 'default', /x.gguf: tokenizer.ggml.pre "default" is not supported; this reads gpt-2, llama-bpe/],
    ['tokenizer.ggml.model', 't5', /x.gguf: tokenizer.ggml.model "t5" is not supported/],
    ['tokenizer.ggml.merges', 'none', /x.gguf lacks the list tokenizer.ggml.merges/],
  ])('with %s %o in a GGUF file is refused by name', (key, value, message) => {
    const metadata = new Map(asRead(tokenizerMetadata({ json: json() }, configOf(6)))).set(key, value)
    expect(() => tokenizerFromGguf(metadata, 'x.gguf')).toThrow(message)
  })
})
