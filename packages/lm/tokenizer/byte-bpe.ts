import { bytesToToken } from './byte-alphabet.js'
import type { TokenizerEngine } from './engine.js'
import { Merges } from './merges.js'
import { preTokenEnd } from './pre-tokens.js'
import { specialPattern } from './special-tokens.js'
import { ByteStreamDecoder, type StreamDecoder } from './stream-decoder.js'
import type { TokenBuffer } from './token-buffer.js'
import { type TokenizerJson, tokenizerJson } from './tokenizer-json.js'
import { WordTable } from './word-table.js'

/** What makes a byte-level BPE. */
export interface ByteBpeModel {
  /** The bytes of each token by id; the 256 single bytes are among them. Of a special token: its text's. */
  readonly tokens: readonly Uint8Array[]
  /** Each [left id, right id, merged id], in order of rank. */
  readonly merges: readonly (readonly [number, number, number])[]
  readonly specials: ReadonlyMap<number, string>
}

/** Words longer than this (in UTF-16 units) are encoded anew each time. */
const cachedLength = 64
/** When so many words are cached, the cache is emptied: memory stays bounded whatever the text is. */
const cachedWords = 1 << 17

const nothing = new Uint8Array(0)

/** Byte-level BPE as GPT-2 has it: any text becomes tokens, and the tokens give back the text. */
export class ByteBpe implements TokenizerEngine {
  readonly specials: ReadonlyMap<number, string>
  readonly #model: ByteBpeModel
  readonly #merges: Merges
  readonly #idOfByte = new Int32Array(256)
  readonly #names: readonly string[]
  readonly #idOfName: ReadonlyMap<string, number>
  readonly #special: RegExp | undefined
  readonly #utf8 = new TextEncoder()
  readonly #bytes = new Uint8Array(cachedLength * 3)
  readonly #scratch = new Int32Array(cachedLength * 3)
  // The cache: word w stands for ids[ends[w - 1], ends[w]).
  #words = new WordTable()
  #wordIds = new Uint32Array(1 << 14)
  #wordEnds = new Float64Array(1 << 12)

  constructor(model: ByteBpeModel) {
    this.#model = model
    this.specials = model.specials
    this.#merges = new Merges(model.merges)
    this.#names = model.tokens.map((bytes, id) => model.specials.get(id) ?? bytesToToken(bytes))
    this.#idOfName = new Map(this.#names.map((name, id) => [name, id]))
    this.#special = specialPattern([...model.specials.values()])
    model.tokens.forEach((bytes, id) => {
      if (bytes.length === 1 && !model.specials.has(id)) this.#idOfByte[bytes[0]!] = id
    })
  }

  get vocabSize(): number {
    return this.#names.length
  }

  encodeInto(text: string, into: TokenBuffer, special: boolean): void {
    let from = 0
    for (const match of special && this.#special ? text.matchAll(this.#special) : []) {
      this.#encodePlain(text, from, match.index, into)
      into.push(this.#idOfName.get(match[0])!)
      from = match.index + match[0].length
    }
    this.#encodePlain(text, from, text.length, into)
  }

  decode(ids: readonly number[], skipSpecial: boolean): string {
    const kept = skipSpecial ? ids.filter((id) => !this.specials.has(id)) : ids
    const bytes = new Uint8Array(kept.reduce((sum, id) => sum + this.tokenBytes(id).length, 0))
    let at = 0
    for (const id of kept) {
      const token = this.tokenBytes(id)
      bytes.set(token, at)
      at += token.length
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  }

  decoder(skipSpecial: boolean): StreamDecoder {
    return new ByteStreamDecoder((id) => (skipSpecial && this.specials.has(id) ? nothing : this.tokenBytes(id)))
  }

  tokenToId(token: string): number | undefined {
    return this.#idOfName.get(token)
  }

  idToToken(id: number): string | undefined {
    return this.#names[id]
  }

  tokenBytes(id: number): Uint8Array {
    return this.#model.tokens[id]!
  }

  toJson(): TokenizerJson {
    return tokenizerJson(this.specials, {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(this.#names.map((name, id) => [name, id])),
        merges: this.#model.merges.map(([left, right]) => [this.#names[left]!, this.#names[right]!]),
      },
    })
  }

  #encodePlain(text: string, from: number, to: number, into: TokenBuffer): void {
    // A section between special tokens ends where the text ends for the pre-tokenizer.
    const section = from === 0 && to === text.length ? text : text.slice(from, to)
    for (let start = 0; start < section.length; ) {
      const end = preTokenEnd(section, start)
      if (end - start > cachedLength) this.#encodeLong(section.slice(start, end), into)
      else this.#encodeWord(section, start, end, into)
      start = end
    }
  }

  #encodeWord(text: string, start: number, end: number, into: TokenBuffer): void {
    const known = this.#words.size
    const word = this.#words.intern(text, start, end)
    if (word === known) this.#cache(text.slice(start, end), word)
    const stop = this.#wordEnds[word]!
    for (let i = word === 0 ? 0 : this.#wordEnds[word - 1]!; i < stop; i++) into.push(this.#wordIds[i]!)
    if (this.#words.size === cachedWords) this.#words = new WordTable()
  }

  #cache(text: string, word: number): void {
    const { written } = this.#utf8.encodeInto(text, this.#bytes)
    const ids = this.#scratch
    for (let i = 0; i < written; i++) ids[i] = this.#idOfByte[this.#bytes[i]!]!
    const count = this.#merges.apply(ids, written)
    const from = word === 0 ? 0 : this.#wordEnds[word - 1]!
    if (from + count > this.#wordIds.length) {
      const larger = new Uint32Array(this.#wordIds.length * 2)
      larger.set(this.#wordIds)
      this.#wordIds = larger
    }
    if (word === this.#wordEnds.length) {
      const larger = new Float64Array(word * 2)
      larger.set(this.#wordEnds)
      this.#wordEnds = larger
    }
    for (let i = 0; i < count; i++) this.#wordIds[from + i] = ids[i]!
    this.#wordEnds[word] = from + count
  }

  #encodeLong(text: string, into: TokenBuffer): void {
    const ids = Int32Array.from(this.#utf8.encode(text), (byte) => this.#idOfByte[byte]!)
    const count = this.#merges.apply(ids, ids.length)
    for (let i = 0; i < count; i++) into.push(ids[i]!)
  }
}
