import { TensorError, type TensorErrorCode } from '@enigma/tensor'

/** What can go wrong with language models; the message names the thing and the fix. Each area adds its codes here. */
export type LmErrorCode =
  // what lies below: files of tensors, the runtime
  | TensorErrorCode
  // presets and configuration
  | 'UNKNOWN_PRESET'
  | 'INVALID_CONFIG'
  | 'UNSUPPORTED_MODEL'
  | 'QUANTIZED_MODEL'
  // files: checkpoints, model folders
  | 'HASH_MISMATCH'
  | 'NO_CHECKPOINT'
  | 'CHECKPOINT_CORRUPT'
  | 'MODEL_EXISTS'
  | 'FOLDER_LOCKED'
  // the Hugging Face hub
  | 'HUB_NOT_FOUND'
  | 'HUB_FORBIDDEN'
  | 'HUB_FAILED'
  | 'HUB_UNREACHABLE'
  | 'HUB_OFFLINE'
  // tokenizers and training data
  | 'TOKENIZER_INVALID'
  | 'UNKNOWN_TOKEN'
  | 'TEMPLATE_INVALID'
  | 'DATA_EMPTY'
  | 'DATA_INVALID'
  | 'DATA_TOO_SMALL'
  | 'CURSOR_MISMATCH'
  // training
  | 'TRAINING_DIVERGED'
  // generation
  | 'INVALID_OPTION'
  | 'EMPTY_PROMPT'
  | 'NOT_FINITE'
  | 'CONTEXT_OVERFLOW'
  | 'SCHEMA_INVALID'
  | 'SCHEMA_UNSUPPORTED'
  | 'SCHEMA_UNSATISFIABLE'
  | 'BUDGET_TOO_SMALL'
  | 'TOOLS_UNSUPPORTED'
  | 'QUEUE_FULL'
  | 'CLOSED'
  | 'INFILL_UNSUPPORTED'

/** The one error class of this package; the files and the runtime below throw `TensorError`s, with the same codes. `code` is stable; `message` is for people; `cause` is what lay beneath. */
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

/** An error with a code, of this package or of the formats below it: what a file or a folder is to blame for. */
export type Fault = LmError | TensorError

export const isFault = (error: unknown): error is Fault => error instanceof LmError || error instanceof TensorError
