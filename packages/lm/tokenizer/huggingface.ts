import { Tokenizer } from '@huggingface/tokenizers'
import { LmError } from '../errors.js'
import { TimeLimit } from '../time-limit.js'
import { tokenToBytes } from './byte-alphabet.js'
import { type AddedToken, asObject, readAddedTokens } from './byte-bpe-json.js'
import type { TokenizerEngine } from './engine.js'
import { type StreamDecoder, WindowStreamDecoder } from './stream-decoder.js'
import type { TokenBuffer } from './token-buffer.js'
import type { TokenizerJson } from './tokenizer-json.js'

/** Ids are rows of a table; the library makes lists as long as the highest one. No vocabulary comes near. */
const mostTokens = 2 ** 21
/** What a text may take, in ms: a hundred times what the slowest tokenizers do. */
const longest = (text: string) => 10_000 + text.length / 10

/** Any other `tokenizer.json`, through Hugging Face's own JavaScript implementation. */
export class HuggingFaceEngine implements TokenizerEngine {
  readonly specials: ReadonlyMap<number, string>
  readonly vocabSize: number
  readonly #json: TokenizerJson
  readonly #full: Tokenizer
  /** The same without special tokens, so that they cannot be smuggled in by text. */
  readonly #plain: Tokenizer
  readonly #byteLevel: boolean
  /** Patterns of a file from anywhere may try more ways than there is time for. */
  readonly #limit = new TimeLimit()

  /** @throws LmError TOKENIZER_INVALID */
  constructor(json: TokenizerJson) {
    this.#json = json
    const added = readAddedTokens(json)
    checkIds(json, added)
    this.specials = new Map(added.flatMap(({ id, content, special }) => (special ? [[id, content]] : [])))
    const complete = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [], ...json }
    // Without this the library would "clean up" spaces before punctuation: not what was encoded.
    const config = { clean_up_tokenization_spaces: false }
    try {
      this.#full = new Tokenizer(structuredClone(complete), config)
      this.#plain = new Tokenizer(withoutSpecials(structuredClone(complete), this.specials), config)
      this.vocabSize = [...this.#full.get_vocab().values()].reduce((highest, id) => Math.max(highest, id + 1), 0)
      this.#byteLevel = JSON.stringify(json.decoder ?? null).includes('"ByteLevel"')
    } catch (error) {
      const type = String(asObject(json.model)?.type ?? 'unknown')
      throw new LmError('TOKENIZER_INVALID', `Cannot use this tokenizer.json (model type ${type}): ${reason(error)}`, {
        cause: error,
      })
    }
  }

  encodeInto(text: string, into: TokenBuffer, special: boolean): void {
    if (text === '') return
    const tokenizer = special ? this.#full : this.#plain
    const encode = () => tokenizer.encode(text, { add_special_tokens: false }).ids
    const late = () => new Error(`its patterns take more than ${Math.ceil(longest(text) / 1000)} s for ${text.length} characters`)
    const ids = guarded('encode', () => this.#limit.within(longest(text), encode, late))
    for (const id of ids) {
      if (id === undefined) {
        throw new LmError('TOKENIZER_INVALID', 'This tokenizer.json has no token for part of the text, and no unknown token')
      }
      into.push(id)
    }
  }

  decode(ids: readonly number[], skipSpecial: boolean): string {
    const kept = skipSpecial ? ids.filter((id) => !this.specials.has(id)) : [...ids]
    return kept.length === 0 ? '' : guarded('decode', () => this.#full.decode(kept))
  }

  decoder(skipSpecial: boolean): StreamDecoder {
    return new WindowStreamDecoder((ids) => this.decode(ids, skipSpecial))
  }

  tokenToId(token: string): number | undefined {
    return this.#full.token_to_id(token)
  }

  idToToken(id: number): string | undefined {
    return this.#full.id_to_token(id)
  }

  tokenBytes(id: number): Uint8Array {
    const token = this.idToToken(id) ?? ''
    if (!this.specials.has(id)) {
      const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)
      if (byte) return Uint8Array.of(Number.parseInt(byte[1]!, 16))
      const bytes = this.#byteLevel ? tokenToBytes(token) : undefined
      if (bytes) return bytes
    }
    // SentencePiece writes a space as U+2581.
    return new TextEncoder().encode(this.#byteLevel ? token : token.replaceAll('\u2581', ' '))
  }

  toJson(): TokenizerJson {
    return this.#json
  }
}

/** @throws LmError TOKENIZER_INVALID */
function checkIds(json: TokenizerJson, added: readonly AddedToken[]): void {
  const vocab = asObject(asObject(json.model)?.vocab) ?? {}
  const named = [...Object.entries(vocab), ...added.map(({ content, id }) => [content, id] as const)]
  const wrong = named.find(([, id]) => !(Number.isSafeInteger(id) && Number(id) >= 0 && Number(id) < mostTokens))
  if (!wrong) return
  const [name, id] = wrong
  throw new LmError(
    'TOKENIZER_INVALID',
    `Broken tokenizer.json: the token ${JSON.stringify(name)} has the id ${JSON.stringify(id)}, not one below ${mostTokens}`,
  )
}

function withoutSpecials(json: Record<string, unknown>, specials: ReadonlyMap<number, string>): Record<string, unknown> {
  const added = (json.added_tokens as { id: number }[]).filter(({ id }) => !specials.has(id))
  const model = asObject(json.model)
  if (model?.type !== 'Unigram' || !Array.isArray(model.vocab)) return { ...json, added_tokens: added }
  // A Unigram model may pick any entry of its vocabulary out of the text: special ones are renamed to what no text contains.
  const vocab = model.vocab.map((entry: unknown, id) =>
    specials.has(id) && Array.isArray(entry) ? [`\u0000special ${id}\u0000`, entry[1]] : entry,
  )
  return { ...json, added_tokens: added, model: { ...model, vocab } }
}

function guarded<T>(what: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new LmError('TOKENIZER_INVALID', `This tokenizer.json cannot ${what}: ${reason(error)}`, { cause: error })
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
