import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LmError } from '../errors.js'

export const indexName = 'tokens.json'

/** A part of the tokens: [start, end). */
export interface TokenSplit {
  readonly start: number
  readonly end: number
  /** UTF-8 bytes of what is learned of its text; special tokens have none. */
  readonly bytes: number
  /** Tokens that are learned. */
  readonly learned: number
}

/** `tokens.json`: what lies in a folder of tokens, and what it was made from. */
export interface TokenIndex {
  readonly format: 'enigma-tokens'
  readonly version: 2
  /** Hash of everything the tokens depend on: when it is the same, they need not be made again. */
  readonly key: string
  readonly dtype: 'u16' | 'u32'
  readonly vocabSize: number
  /** Stands before, between and after the documents. */
  readonly eosId: number
  /** Added to the ids of tokens that are not learned: what others say in conversations; 0 where all are learned. */
  readonly unlearned: number
  readonly specialIds: readonly number[]
  /** By token id: how many bytes of text it stands for; 0 for special tokens. */
  readonly tokenBytes: readonly number[]
  readonly documents: number
  /** One sequence of tokens, over files; little endian, no header. */
  readonly shards: readonly { readonly file: string; readonly tokens: number; readonly sha256: string }[]
  readonly splits: { readonly train: TokenSplit; readonly validation: TokenSplit | null }
  readonly tokenizer: { readonly sha256: string }
  readonly sources: readonly {
    readonly path: string
    readonly bytes: number
    readonly sha256: string
    readonly use: 'train' | 'validation'
  }[]
}

/**
 * Reads and checks the index of a folder.
 * @throws LmError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function readIndex(folder: string): Promise<TokenIndex> {
  const path = join(folder, indexName)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LmError('FILE_NOT_FOUND', `No prepared tokens in ${folder}: ${indexName} cannot be read. Prepare the data first`, {
      cause: error,
    })
  })
  let index: unknown
  try {
    index = JSON.parse(text)
  } catch (error) {
    throw corrupt(path, error)
  }
  if (!isIndex(index)) throw corrupt(path)
  return index
}

function corrupt(path: string, cause?: unknown): LmError {
  return new LmError('FILE_CORRUPT', `${path} is damaged. Delete the folder and prepare the data again`, { cause })
}

function isIndex(value: unknown): value is TokenIndex {
  const index = value as TokenIndex
  if (typeof index !== 'object' || index === null || index.format !== 'enigma-tokens' || index.version !== 2) return false
  if (typeof index.key !== 'string' || (index.dtype !== 'u16' && index.dtype !== 'u32')) return false
  const lists = [index.shards, index.tokenBytes, index.specialIds, index.sources]
  if (![index.vocabSize, index.eosId, index.documents, index.unlearned].every(isCount) || !lists.every(Array.isArray))
    return false
  if (index.tokenBytes.length !== index.vocabSize || !index.tokenBytes.every(isCount) || !index.specialIds.every(isCount))
    return false
  // A shard's name is a plain file name: a damaged index must not lead elsewhere.
  const named = index.shards.every(
    (shard) => /^[\w-]+\.bin$/.test(shard?.file) && isCount(shard.tokens) && typeof shard.sha256 === 'string',
  )
  if (!named) return false
  const total = index.shards.reduce((sum, shard) => sum + shard.tokens, 0)
  const fits = (split: TokenSplit | null | undefined) =>
    !!split &&
    [split.start, split.end, split.bytes, split.learned].every(isCount) &&
    split.start <= split.end &&
    split.end <= total
  return fits(index.splits?.train) && (index.splits.validation === null || fits(index.splits.validation))
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
