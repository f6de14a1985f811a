import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeLeftovers, writeAtomic, writeError } from '@enigma/tensor/formats'
import type { ChatTemplate } from '../chat/chat-template.js'
import { LmError } from '../errors.js'
import { endOfText, type Tokenizer } from '../tokenizer/index.js'
import { findDataFiles } from './data-files.js'
import { DocumentEncoder } from './document-encoder.js'
import { type InspectedFile, inspectFiles } from './inspect-files.js'
import { ShardWriter } from './shard-writer.js'
import { splitShare } from './split-share.js'
import { TokenDataset } from './token-dataset.js'
import { indexName, type TokenIndex } from './token-index.js'

export interface PrepareTokensOptions {
  /** Text and .jsonl files, folders, globs. */
  readonly files: readonly string[]
  readonly tokenizer: Tokenizer
  /** Where the tokens go; made if need be. */
  readonly folder: string
  /** A file (or folder, or glob) held out, or a share of the tokens above 0 and below 1: the last ones, from a document's beginning if one is near. */
  readonly validation?: string | number
  /** How conversations are written. Default: as ChatML. */
  readonly template?: ChatTemplate | null
  /** Of conversations only what the assistant says is learned and measured; other text is as ever. Default false. */
  readonly answersOnly?: boolean
  /** Tokens per file. Default 2^26. */
  readonly shardTokens?: number
  /** Bytes of the files that are done, and of all files. */
  readonly onProgress?: (progress: { readonly bytes: number; readonly total: number }) => void
  readonly signal?: AbortSignal
}

export interface PreparedTokens {
  /** To be closed by the caller. */
  readonly dataset: TokenDataset
  /** Sentences for the user, such as that there is little data. */
  readonly warnings: readonly string[]
  /** Whether the tokens were there already, made from the same data. */
  readonly reused: boolean
}

/** Fewer lines than this make a poor model. */
const fewLines = 1000

/**
 * Turns data files into tokens on disk, in little memory, each document preceded and followed by the end-of-text token. Tokens made from the same
 * content by the same tokenizer are used again; others are replaced once the new ones are complete.
 * @throws LmError FILE_NOT_FOUND, DATA_EMPTY, DATA_INVALID, INVALID_CONFIG, TOKENIZER_INVALID; TensorError DISK_FULL, NOT_WRITABLE; the signal's reason
 */
export async function prepareTokens(options: PrepareTokensOptions): Promise<PreparedTokens> {
  const {
    files: paths,
    tokenizer,
    folder,
    validation,
    shardTokens = 2 ** 26,
    signal,
    template = null,
    answersOnly = false,
  } = options
  if (typeof validation === 'number' && !(validation > 0 && validation < 1)) {
    throw new LmError('INVALID_CONFIG', `The validation share must lie between 0 and 1, not at ${validation}`)
  }
  const eosId = separatorOf(tokenizer, template)
  if (eosId === undefined) {
    throw new LmError('TOKENIZER_INVALID', 'This tokenizer has no end-of-text token, which must stand between documents')
  }
  const heldOut = typeof validation === 'string' ? await findDataFiles([validation]) : []
  const files = await findDataFiles(paths, { without: heldOut })
  const sources = { train: await inspectFiles(files, signal), validation: await inspectFiles(heldOut, signal) }
  const warnings = warningsOf(sources.train)

  const tokenizerHash = sha256(JSON.stringify(tokenizer.toJson()))
  const share = typeof validation === 'number' ? validation : null
  const contents = (inspected: readonly InspectedFile[]) => inspected.map(({ kind, sha256 }) => [kind, sha256])
  const key = sha256(
    JSON.stringify([
      1,
      tokenizerHash,
      eosId,
      contents(sources.train),
      contents(sources.validation),
      share,
      shardTokens,
      ...(template ? [template.source] : []),
      ...(answersOnly ? ['answers'] : []),
    ]),
  )
  const existing = await openIntact(folder, key)
  if (existing) return { dataset: existing, warnings, reused: true }

  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw writeError(error, folder)
  })
  await removeLeftovers(folder)
  const { dtype, unlearned } = layoutOf(tokenizer.vocabSize, answersOnly)
  await using writer = new ShardWriter(folder, `tokens-${key.slice(0, 12)}`, dtype, shardTokens)
  const total = [...files, ...heldOut].reduce((sum, file) => sum + file.bytes, 0)
  let done = 0
  const onBytes = (bytes: number) => options.onProgress?.({ bytes: (done += bytes), total })
  const encoder = new DocumentEncoder(writer, { tokenizer, eosId, template, unlearned, signal })
  const train = await encoder.encode(files, onBytes)
  const held = heldOut.length > 0 ? await encoder.encode(heldOut, onBytes) : null
  const shards = await writer.finish()

  const specialIds = [...tokenizer.specialTokens.keys()]
  const index: TokenIndex = {
    format: 'enigma-tokens',
    version: 2,
    key,
    dtype,
    vocabSize: tokenizer.vocabSize,
    eosId,
    unlearned,
    specialIds,
    tokenBytes: bytesPerToken(tokenizer, specialIds),
    documents: encoder.documents,
    shards,
    splits: { train, validation: held },
    tokenizer: { sha256: tokenizerHash },
    sources: (['train', 'validation'] as const).flatMap((use) =>
      sources[use].map(({ path, bytes, sha256 }) => ({ path, bytes, sha256, use })),
    ),
  }
  const complete = share === null ? index : { ...index, splits: splitShare(folder, index, share) }
  await writeAtomic(join(folder, indexName), `${JSON.stringify(complete)}\n`)
  await removeStale(folder, complete)
  return { dataset: await TokenDataset.open(folder), warnings, reused: false }
}

/** What stands between documents: the end-of-text token, or another one where that ends every turn, as in some models for chat. */
function separatorOf(tokenizer: Tokenizer, template: ChatTemplate | null): number | undefined {
  const { eosId, bosId } = tokenizer
  if (eosId === undefined || eosId !== template?.turnEnd) return eosId
  return tokenizer.tokenToId(endOfText) ?? bosId ?? eosId
}

/** How ids are stored: the highest bit says that a token is not learned, where that is told apart. */
function layoutOf(vocabSize: number, marked: boolean): { readonly dtype: 'u16' | 'u32'; readonly unlearned: number } {
  const dtype = vocabSize <= (marked ? 2 ** 15 : 2 ** 16) ? 'u16' : 'u32'
  return { dtype, unlearned: marked ? (dtype === 'u16' ? 2 ** 15 : 2 ** 31) : 0 }
}

function warningsOf(sources: readonly InspectedFile[]): string[] {
  const lines = sources.reduce((sum, source) => sum + source.lines, 0)
  return lines < fewLines
    ? [`The training data has ${lines} lines: need ${fewLines}+ lines minimum for a model that says anything new`]
    : []
}

function bytesPerToken(tokenizer: Tokenizer, specialIds: readonly number[]): number[] {
  const special = new Set(specialIds)
  return Array.from({ length: tokenizer.vocabSize }, (_, id) =>
    special.has(id) || tokenizer.idToToken(id) === undefined ? 0 : tokenizer.tokenBytes(id).length,
  )
}

/** The tokens in the folder, if they are those of `key` and whole. */
async function openIntact(folder: string, key: string): Promise<TokenDataset | undefined> {
  let dataset: TokenDataset | undefined
  try {
    dataset = await TokenDataset.open(folder)
    if (dataset.key === key) {
      await dataset.verify()
      return dataset
    }
  } catch (error) {
    // Missing or damaged tokens are made anew: that loses nothing.
    if (!(error instanceof LmError)) throw error
  }
  dataset?.close()
  return undefined
}

async function removeStale(folder: string, { shards }: TokenIndex): Promise<void> {
  const kept = new Set(shards.map(({ file }) => file))
  for (const name of await readdir(folder)) {
    if (/^tokens-[0-9a-f]{12}-\d{5,}\.bin$/.test(name) && !kept.has(name)) await rm(join(folder, name), { force: true })
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
