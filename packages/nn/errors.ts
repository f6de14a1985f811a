export type NnErrorCode =
  | 'INVALID_ARGUMENT'
  | 'STATE_MISMATCH'
  | 'SHAPE_MISMATCH'
  | 'NOT_FINITE'
  | 'DATA_FAILED'
  | 'BAD_CONFIG'
  | 'LAYER_TYPE_TAKEN'
  | 'LAYER_TYPE_UNKNOWN'
  | 'LAYER_FAILED'
  | 'STAGE_FAILED'
  | 'CHECKPOINT_CORRUPT'

/** What can go wrong in this package; the message names the thing and the fix. */
export class NnError extends Error {
  override readonly name = 'NnError'
  constructor(
    readonly code: NnErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
