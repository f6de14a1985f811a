import { LmError } from '../errors.js'
import { Batches, type BatchOptions } from './batches.js'
import { readIndex, type TokenIndex, type TokenSplit } from './token-index.js'
import { TokenShards } from './token-shards.js'
import { type WindowOptions, Windows } from './windows.js'

/** Sizes of a part of the data. */
export interface SplitInfo {
  readonly tokens: number
  /** UTF-8 bytes of the text that is learned. */
  readonly bytes: number
  /** Tokens that are learned: all, or those of answers. */
  readonly learned: number
}

/** Tokens that `read` takes at a time. */
const readLength = 1 << 20

const sizesOf = ({ start, end, bytes, learned }: TokenSplit): SplitInfo => ({ tokens: end - start, bytes, learned })

/** Tokens on disk, as `prepareTokens` leaves them. Holds open files until closed. */
export class TokenDataset implements Disposable {
  readonly #index: TokenIndex
  readonly #shards: TokenShards

  private constructor(
    readonly folder: string,
    index: TokenIndex,
  ) {
    this.#index = index
    this.#shards = new TokenShards(folder, index)
  }

  /** @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED */
  static async open(folder: string): Promise<TokenDataset> {
    return new TokenDataset(folder, await readIndex(folder))
  }

  /** Changes when the data, the tokenizer or the validation part changes. */
  get key(): string {
    return this.#index.key
  }

  get documents(): number {
    return this.#index.documents
  }

  get vocabSize(): number {
    return this.#index.vocabSize
  }

  get train(): SplitInfo {
    return sizesOf(this.#index.splits.train)
  }

  /** null where nothing is held out. */
  get validation(): SplitInfo | null {
    const split = this.#index.splits.validation
    return split && sizesOf(split)
  }

  /**
   * An endless stream of shuffled batches of the training part.
   * @throws LmError DATA_TOO_SMALL, CURSOR_MISMATCH, INVALID_CONFIG
   */
  batches(options: BatchOptions): Batches {
    return new Batches(this.#shards, this.#index, options)
  }

  /**
   * The validation part, window by window, in order.
   * @param options.split 'train' for the training part instead
   * @throws LmError DATA_TOO_SMALL, also where nothing is held out, INVALID_CONFIG
   */
  windows({ split = 'validation', ...options }: WindowOptions & { readonly split?: 'train' | 'validation' }): Windows {
    const range = this.#index.splits[split]
    if (!range) throw new LmError('DATA_TOO_SMALL', 'No text is held out for validation: name a file or a share of the data')
    return new Windows(this.#shards, this.#index, range, split === 'train' ? 'training' : 'validation', options)
  }

  /** All tokens of the training part in memory, separators and all; where not everything is learned, with the marks of that. */
  read(): Uint32Array {
    const { start, end } = this.#index.splits.train
    const tokens = new Uint32Array(end - start)
    for (let at = start; at < end; at += readLength) tokens.set(this.#shards.read(at, Math.min(readLength, end - at)), at - start)
    return tokens
  }

  /**
   * Compares the tokens with their hashes.
   * @throws LmError HASH_MISMATCH
   */
  verify(): Promise<void> {
    return this.#shards.verify()
  }

  close(): void {
    this.#shards[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
