import { callerLine } from '../caller-line.js'
import { type DType, dtypes, type HostTensor, sizeOf } from '../dtype.js'
import { TensorError, type TensorErrorCode } from '../errors.js'

/** What a session says of one input or output. */
export interface ValueInfo {
  readonly name: string
  /** Undefined for types this package has no array for. */
  readonly dtype: DType | undefined
  /** A size that is only known at run time is -1. */
  readonly shape: readonly number[]
}

export type Direction = 'Input' | 'Output'

/** Checks tensors against what the session declares and returns them by name. */
export function matchTensors(
  direction: Direction,
  declared: readonly ValueInfo[],
  given: Readonly<Record<string, HostTensor>>,
): Map<string, HostTensor> {
  const unknown: TensorErrorCode = direction === 'Input' ? 'UNKNOWN_INPUT' : 'UNKNOWN_OUTPUT'
  const listed = declared.map(({ name }) => name).join(', ') || 'none'
  for (const name of Object.keys(given))
    if (!declared.some((info) => info.name === name))
      throw new TensorError(unknown, `The model has no ${direction.toLowerCase()} '${name}'. It has: ${listed}.${callerLine()}`)
  const matched = new Map<string, HostTensor>()
  for (const info of declared) {
    const tensor = given[info.name]
    if (tensor) {
      assertMatches(direction, info, tensor)
      matched.set(info.name, tensor)
    } else if (direction === 'Input')
      throw new TensorError(unknown, `Input '${info.name}' is missing. The model needs: ${listed}.${callerLine()}`)
  }
  if (direction === 'Output' && matched.size === 0)
    throw new TensorError(unknown, `No output is asked for: name at least one of ${listed}.${callerLine()}`)
  return matched
}

function assertMatches(direction: Direction, { name, dtype, shape }: ValueInfo, tensor: HostTensor): void {
  const subject = `${direction} '${name}'`
  if (dtype !== tensor.dtype)
    throw new TensorError(
      'DTYPE_MISMATCH',
      `${subject} must be ${dtype ?? 'of a type that host tensors cannot hold'}, given ${tensor.dtype}.${callerLine()}`,
    )
  // Rank 0 is also what the runtime says of a value of unknown rank; it checks those itself when it runs.
  const fits =
    shape.length === 0 ||
    (shape.length === tensor.shape.length && shape.every((size, axis) => size < 0 || size === tensor.shape[axis]))
  if (!fits) {
    const expected = shape.map((size) => (size < 0 ? '?' : size)).join(', ')
    throw new TensorError(
      'SHAPE_MISMATCH',
      `${subject} must have shape [${expected}], given [${tensor.shape.join(', ')}].${callerLine()}`,
    )
  }
  assertConsistent(name, tensor)
}

/** Names what is wrong with a host tensor by itself, before native code trusts its shape. */
export function assertConsistent(name: string, { dtype, shape, data }: HostTensor): void {
  if (!(data instanceof dtypes[dtype].array))
    throw new TensorError(
      'DTYPE_MISMATCH',
      `'${name}' is ${dtype}, held in ${dtypes[dtype].array.name}, but its data is ${data.constructor.name}.${callerLine()}`,
    )
  if (data.length !== sizeOf(shape))
    throw new TensorError(
      'SHAPE_MISMATCH',
      `'${name}' has shape [${shape}], ${sizeOf(shape)} elements, but its data holds ${data.length}.${callerLine()}`,
    )
}
