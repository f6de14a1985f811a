/** What can go wrong in this package; the message names the thing and the fix. */
export type TensorErrorCode =
  | 'SHAPE_MISMATCH'
  | 'DTYPE_MISMATCH'
  | 'NOT_DIFFERENTIABLE'
  | 'UNKNOWN_INPUT'
  | 'UNKNOWN_OUTPUT'
  | 'RUNTIME_UNAVAILABLE'
  | 'RUNTIME_FAILED'
  | 'DEVICE_UNAVAILABLE'
  | 'OUT_OF_MEMORY'
  | 'KERNEL_FAILED'
  | 'ABORTED'

export class TensorError extends Error {
  override readonly name = 'TensorError'
  constructor(
    readonly code: TensorErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
