/** What can go wrong in this package; the message names the thing and the fix. */
export type TensorErrorCode =
  | 'SHAPE_MISMATCH'
  | 'DTYPE_MISMATCH'
  | 'INVALID_ARGUMENT'
  | 'NOT_DIFFERENTIABLE'
  | 'UNKNOWN_INPUT'
  | 'UNKNOWN_OUTPUT'
  | 'RUNTIME_UNAVAILABLE'
  | 'RUNTIME_FAILED'
  | 'DEVICE_UNAVAILABLE'
  | 'OUT_OF_MEMORY'
  | 'KERNEL_FAILED'
  | 'ABORTED'
  | 'UNSUPPORTED_OP'
  // files: formats, and writing at all
  | 'FILE_NOT_FOUND'
  | 'FILE_CORRUPT'
  | 'FILE_TRUNCATED'
  | 'TENSOR_MISSING'
  | 'TENSOR_UNSUPPORTED'
  | 'TENSOR_OVERFLOW'
  | 'DISK_FULL'
  | 'NOT_WRITABLE'
  | 'WRITE_FAILED'

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
