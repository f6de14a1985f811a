import { type DType, dtypes } from '../dtype.js'
import type { Direction, ValueInfo } from './match-tensors.js'
import { readCString } from './native-memory.js'
import type { OrtApi, Pointer } from './ort-api.js'

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
