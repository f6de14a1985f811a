import { findDataFiles, readTexts } from '../data/index.js'
import { type BpeProgress, type TrainedBpe, trainBpe } from '../tokenizer/index.js'

export interface TrainTokenizerOptions {
  /** Data files, folders, globs. */
  readonly data: readonly string[]
  /** Default 2048 under 4 MB of text, else 4096. */
  readonly vocabSize?: number | undefined
  readonly onProgress?: (progress: BpeProgress) => void
  readonly signal?: AbortSignal | undefined
}

const smallText = 4_000_000

/** Trains a byte-level BPE on the text of data files. @throws LmError FILE_NOT_FOUND, DATA_EMPTY, INVALID_CONFIG */
export async function trainTokenizer({ data, vocabSize, onProgress, signal }: TrainTokenizerOptions): Promise<TrainedBpe> {
  const files = await findDataFiles(data)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return trainBpe({
    texts: readTexts(files),
    vocabSize: vocabSize ?? (bytes < smallText ? 2048 : 4096),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  })
}
