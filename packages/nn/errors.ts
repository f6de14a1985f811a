import { callerLine } from '@enigma/tensor'

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

/** Messages of these end with the line of the caller that made the mistake. */
const aboutShapes: readonly NnErrorCode[] = ['SHAPE_MISMATCH', 'STATE_MISMATCH']

/** What can go wrong in this package; the message names the thing and the fix. */
export class NnError extends Error {
  override readonly name = 'NnError'
  constructor(
    readonly code: NnErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(aboutShapes.includes(code) && !message.includes(' (at ') ? `${message}${callerLine()}` : message, options)
  }
}
