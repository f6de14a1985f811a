/** What can go wrong with language models; the message names the thing and the fix. Each area adds its codes here. */
export type LmErrorCode =
  // presets and configuration
  | 'UNKNOWN_PRESET'
  | 'INVALID_CONFIG'
  | 'UNSUPPORTED_MODEL'
  // files: formats, checkpoints, model folders
  | 'FILE_NOT_FOUND'
  | 'FILE_CORRUPT'
  | 'FILE_TRUNCATED'
  | 'HASH_MISMATCH'
  | 'TENSOR_MISSING'
  | 'TENSOR_UNSUPPORTED'
  | 'TENSOR_OVERFLOW'
  | 'SHAPE_MISMATCH'
  | 'DISK_FULL'
  | 'NOT_WRITABLE'
  | 'WRITE_FAILED'
  | 'NO_CHECKPOINT'
  | 'CHECKPOINT_CORRUPT'
  | 'MODEL_EXISTS'
  | 'FOLDER_LOCKED'
  // tokenizers and training data
  | 'TOKENIZER_INVALID'
  | 'UNKNOWN_TOKEN'
  | 'DATA_EMPTY'
  | 'DATA_INVALID'
  | 'DATA_TOO_SMALL'
  | 'CURSOR_MISMATCH'
  // training
  | 'TRAINING_DIVERGED'
  | 'OUT_OF_MEMORY'
  // generation
  | 'INVALID_OPTION'
  | 'EMPTY_PROMPT'
  | 'CONTEXT_OVERFLOW'

/** The one error class of this package. `code` is stable; `message` is for people; `cause` is what lay beneath. */
export class LmError extends Error {
  override readonly name: string = 'LmError'
  constructor(
    readonly code: LmErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
