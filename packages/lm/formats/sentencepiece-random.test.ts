import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createConfig } from '../config.js'
import { Tokenizer } from '../tokenizer/index.js'
import type { GgufMetadata, GgufValue } from './gguf-header.js'
import { tokenizerFromGguf, tokenizerMetadata } from './gguf-tokenizer.js'
import { KIND } from './gguf-vocabulary.js'

/** A vocabulary as SentencePiece trains them: special tokens, all bytes, characters, and tokens that are two others put together. */
interface Vocabulary {
  readonly tokens: readonly string[]
  readonly scores: readonly number[]
  readonly kinds: readonly number[]
  readonly prefix: boolean
}

const specials = ['<unk>', '<s>', '</s>']
const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
const characters = ['▁', 'a', 'b', 'c', 'é', '你', '👍']

const vocabulary: fc.Arbitrary<Vocabulary> = fc
  .record({ joins: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 40 }), prefix: fc.boolean() })
  .map(({ joins, prefix }) => {
    const normal = [...characters]
    for (const [left, right] of joins) {
      const token = normal[left % normal.length]! + normal[right % normal.length]!
      if (token.length <= 12 && !normal.includes(token)) normal.push(token)
    }
    return {
      tokens: [...specials, ...bytes, ...normal],
      scores: [...specials, ...bytes].map(() => 0).concat(normal.map((_, rank) => -rank)),
      kinds: [KIND.unknown, KIND.control, KIND.control, ...bytes.map(() => KIND.byte), ...normal.map(() => KIND.normal)],
      prefix,
    }
  })

const metadataOf = ({ tokens, scores, kinds, prefix }: Vocabulary): GgufMetadata =>
  new Map<string, GgufValue>([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', [...tokens]],
    ['tokenizer.ggml.scores', Float32Array.from(scores)],
    ['tokenizer.ggml.token_type', Int32Array.from(kinds)],
    ['tokenizer.ggml.add_space_prefix', prefix],
  ])

/** SentencePiece's own way: of all neighbours that make a token, those of the best score are joined, the leftmost first. */
function sentencePieceIds(text: string, { tokens, scores, kinds, prefix }: Vocabulary): number[] {
  if (text === '') return []
  const pieces = [...(prefix ? `▁${text}` : text).replaceAll(' ', '▁')]
  const ids = new Map(tokens.flatMap((token, id) => (kinds[id] === KIND.normal ? [[token, id]] : [])))
  for (;;) {
    const joins = pieces.slice(1).map((piece, at) => ids.get(pieces[at]! + piece))
    const best = joins.reduce<number | undefined>(
      (found, id, at) => (id !== undefined && (found === undefined || scores[id]! > scores[joins[found]!]!) ? at : found),
      undefined,
    )
    if (best === undefined) break
    pieces.splice(best, 2, pieces[best]! + pieces[best + 1]!)
  }
  return pieces.flatMap((piece) => {
    const id = ids.get(piece)
    return id === undefined ? Array.from(Buffer.from(piece), (byte) => specials.length + byte) : [id]
  })
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...characters, ' ', 'x', '\n'), maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('<s>', '</s>', '<unk>', '<0x41>', 'a', ' '), maxLength: 6 }),
)

it("any SentencePiece vocabulary out of a GGUF file gives SentencePiece's ids and the text back, also piece by piece and when it is written again", () => {
  fc.assert(
    fc.property(vocabulary, fc.array(text, { minLength: 1, maxLength: 5 }), (given, texts) => {
      const json = tokenizerFromGguf(metadataOf(given), 'x.gguf')
      const tokenizer = Tokenizer.fromJson(JSON.parse(JSON.stringify(json)))
      const config = createConfig({
        vocabSize: given.tokens.length,
        dim: 32,
        layers: 1,
        heads: 2,
        context: 8,
        bosId: 1,
        eosIds: [2],
      })
      const written = Object.entries(tokenizerMetadata({ json }, config))
      const again = Tokenizer.fromJson(
        tokenizerFromGguf(new Map(written.map(([key, { value }]) => [key, value as GgufValue])), 'y.gguf'),
      )
      for (const text of texts) {
        const ids = tokenizer.encode(text)
        expect(ids).toEqual(sentencePieceIds(text, given))
        expect(again.encode(text)).toEqual(ids)
        const back = text.replaceAll('▁', ' ')
        expect(tokenizer.decode(ids)).toBe(back)
        const stream = tokenizer.decoder()
        expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(back)
      }
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 5000 : 100 },
  )
}, 300_000)
