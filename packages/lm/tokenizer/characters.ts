import { LmError } from '../errors.js'
import { asObject, readAddedTokens } from './byte-bpe-json.js'
import type { TokenizerEngine } from './engine.js'
import { specialPattern } from './special-tokens.js'
import type { StreamDecoder } from './stream-decoder.js'
import type { TokenBuffer } from './token-buffer.js'
import { type TokenizerJson, tokenizerJson } from './tokenizer-json.js'

/** Stands for characters that the vocabulary lacks. */
export const unknown = '<|unk|>'

/** A pre-tokenizer pattern that makes each character a word of its own. */
const eachCharacter = '[\\s\\S]'

/** Every character (code point) a token. Those that it does not know become one and the same unknown token. */
export class Characters implements TokenizerEngine {
  readonly specials: ReadonlyMap<number, string>
  readonly #names: readonly string[]
  readonly #ids: ReadonlyMap<string, number>
  readonly #unknownId: number
  readonly #special: RegExp | undefined

  /** @param names tokens by id @param specials those that are no characters; the unknown token is among them */
  constructor(names: readonly string[], specials: ReadonlyMap<number, string>) {
    this.specials = specials
    this.#names = names
    this.#ids = new Map(names.map((name, id) => [name, id]))
    this.#unknownId = names.indexOf(unknown)
    this.#special = specialPattern([...specials.values()])
  }

  get vocabSize(): number {
    return this.#names.length
  }

  encodeInto(text: string, into: TokenBuffer, special: boolean): void {
    let from = 0
    for (const match of special && this.#special ? text.matchAll(this.#special) : []) {
      this.#encodePlain(text.slice(from, match.index), into)
      into.push(this.#ids.get(match[0])!)
      from = match.index + match[0].length
    }
    this.#encodePlain(from === 0 ? text : text.slice(from), into)
  }

  decode(ids: readonly number[], skipSpecial: boolean): string {
    return ids.map((id) => (skipSpecial && this.specials.has(id) ? '' : this.#names[id]!)).join('')
  }

  decoder(skipSpecial: boolean): StreamDecoder {
    return { push: (id) => this.decode([id], skipSpecial), end: () => '' }
  }

  tokenToId(token: string): number | undefined {
    return this.#ids.get(token)
  }

  idToToken(id: number): string | undefined {
    return this.#names[id]
  }

  tokenBytes(id: number): Uint8Array {
    return new TextEncoder().encode(this.#names[id]!)
  }

  toJson(): TokenizerJson {
    return tokenizerJson(this.specials, {
      pre_tokenizer: { type: 'Split', pattern: { Regex: eachCharacter }, behavior: 'Isolated', invert: false },
      decoder: { type: 'Fuse' },
      model: { type: 'WordLevel', vocab: Object.fromEntries(this.#names.map((name, id) => [name, id])), unk_token: unknown },
    })
  }

  #encodePlain(text: string, into: TokenBuffer): void {
    for (const character of text) into.push(this.#ids.get(character) ?? this.#unknownId)
  }
}

/** The character tokenizer that a `tokenizer.json` describes; undefined where it describes something else. */
export function readCharacters(json: TokenizerJson): Characters | undefined {
  const model = asObject(json.model)
  const split = asObject(json.pre_tokenizer)
  const plain =
    model?.type === 'WordLevel' &&
    model.unk_token === unknown &&
    split?.type === 'Split' &&
    asObject(split.pattern)?.Regex === eachCharacter &&
    split.behavior === 'Isolated' &&
    !json.normalizer &&
    !json.post_processor &&
    asObject(json.decoder)?.type === 'Fuse'
  const vocab = plain ? asObject(model.vocab) : undefined
  if (!vocab) return undefined
  const names: string[] = []
  for (const [name, id] of Object.entries(vocab)) if (typeof id === 'number') names[id] = name
  const specials = new Map(readAddedTokens(json).map(({ id, content }) => [id, content]))
  const whole =
    names.length === Object.keys(vocab).length && names.every((name, id) => specials.has(id) || [...name].length === 1)
  if (whole && [...specials].every(([id, name]) => names[id] === name) && names.includes(unknown))
    return new Characters(names, specials)
  throw new LmError('TOKENIZER_INVALID', 'Broken tokenizer.json: the ids of its characters have holes or twins')
}
