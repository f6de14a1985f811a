import type { Tokenization } from '@enigma/contracts'

/** Config of the module `tokenizer`; checked against the schema in `module.yaml`. */
export interface TokenizerModuleConfig {
  /** A `tokenizer.json` or a folder that holds one; without it, the loaded model's tokenizer is used. */
  readonly file?: string
}

/** What `getInterface('tokenizer')` answers. */
export interface TokenizerService extends Tokenization {
  /** Where the vocabulary comes from: `model storyteller` or a file; undefined while there is none. */
  readonly source: string | undefined
}
