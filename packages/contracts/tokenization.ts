import { token } from '@enigma/kernel'

/** Text to token ids and back. `decode(encode(text))` is `text`. */
export interface Tokenization {
  readonly vocabSize: number
  /** Id that begins a text, where the vocabulary has one. */
  readonly bosId?: number
  /** Id that ends a text, where the vocabulary has one. */
  readonly eosId?: number
  /** No begin or end ids are added. */
  encode(text: string): number[]
  decode(ids: readonly number[]): string
}

export const Tokenization = token<Tokenization>('tokenization', '1.0')
