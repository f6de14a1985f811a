import { findDataFiles, readTexts } from '../data/index.js'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'

export interface TrainTokenizerOptions {
  /** Data files, folders, globs. */
  readonly files: readonly string[]
  /** Default 2048 under 4 MB of text, else 4096. */
  readonly vocabSize?: number | undefined
  readonly onProgress?: (message: string) => void
  readonly onWarning?: (message: string) => void
  readonly signal?: AbortSignal
}

const smallText = 4_000_000

/** Trains a byte-level BPE on the text of data files. @throws LmError FILE_NOT_FOUND, DATA_EMPTY, INVALID_CONFIG */
export async function trainTokenizer(options: TrainTokenizerOptions): Promise<Tokenizer> {
  const { onProgress = () => {}, onWarning = () => {}, signal } = options
  const files = await findDataFiles(options.files)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const vocabSize = options.vocabSize ?? (bytes < smallText ? 2048 : 4096)
  onProgress(`Training a tokenizer of ${vocabSize} tokens on ${(bytes / 1e6).toFixed(1)} MB of text`)
  const { tokenizer, warnings } = await trainBpe({ texts: readTexts(files), vocabSize, ...(signal && { signal }) })
  for (const warning of warnings) onWarning(warning)
  return tokenizer
}
