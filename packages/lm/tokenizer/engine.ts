import type { StreamDecoder } from './stream-decoder.js'
import type { TokenBuffer } from './token-buffer.js'
import type { TokenizerJson } from './tokenizer-json.js'

/** What a kind of tokenizer must do; `Tokenizer` is its face. Ids given to it exist. */
export interface TokenizerEngine {
  /** The highest id + 1. */
  readonly vocabSize: number
  /** Special tokens by id, in order of id. */
  readonly specials: ReadonlyMap<number, string>
  /** Appends the ids of `text`; where `special`, special tokens spelled out in it are taken for themselves. */
  encodeInto(text: string, into: TokenBuffer, special: boolean): void
  decode(ids: readonly number[], skipSpecial: boolean): string
  decoder(skipSpecial: boolean): StreamDecoder
  tokenToId(token: string): number | undefined
  idToToken(id: number): string | undefined
  tokenBytes(id: number): Uint8Array
  toJson(): TokenizerJson
}
