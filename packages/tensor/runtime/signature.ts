import { callerLine } from '../caller-line.js'
import { type DType, dtypes, type HostTensor } from '../dtype.js'
import { TensorError, type TensorErrorCode } from '../errors.js'
import { assertConsistent, readCString } from './native-memory.js'
import type { OrtApi, Pointer } from './ort-api.js'

/** What a session says of one input or output. */
export interface ValueInfo {
  readonly name: string
  /** Undefined for types this package has no array for. */
  readonly dtype: DType | undefined
  /** A size that is only known at run time is -1. */
  readonly shape: readonly number[]
}

export type Direction = 'Input' | 'Output'

const byOnnxCode = new Map<number, DType>(Object.entries(dtypes).map(([dtype, { onnx }]) => [onnx, dtype as DType]))

export function readSignature(api: OrtApi, session: Pointer, direction: Direction): ValueInfo[] {
  const count = Number(api.create(`SessionGet${direction}Count`, session))
  const allocator = api.create('GetAllocatorWithDefaultOptions')
  return Array.from({ length: count }, (_, index) => {
    const text = api.create(`SessionGet${direction}Name`, session, index, allocator)
    const name = readCString(text)
    api.call('AllocatorFree', allocator, text)
    const info = api.create(`SessionGet${direction}TypeInfo`, session, index)
    try {
      return { name, ...readTensorType(api, api.create('CastTypeInfoToTensorInfo', info)) }
    } finally {
      api.release('TypeInfo', info)
    }
  })
}

function readTensorType(api: OrtApi, info: Pointer): Pick<ValueInfo, 'dtype' | 'shape'> {
  if (info === 0n) return { dtype: undefined, shape: [] } // a sequence or a map
  const type = new Int32Array(1)
  api.call('GetTensorElementType', info, type)
  const dims = new BigInt64Array(Number(api.create('GetDimensionsCount', info)))
  if (dims.length > 0) api.call('GetDimensions', info, dims, dims.length)
  return { dtype: byOnnxCode.get(type[0]!), shape: Array.from(dims, Number) }
}

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
