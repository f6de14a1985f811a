export {
  errorCode,
  type FileContent,
  type FileDigest,
  syncFolder,
  type WriteBytes,
  type WriteOptions,
  writeAtomic,
  writeDurable,
  writeError,
} from './durable.js'
export { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './float16.js'
export { openTensors } from './open-tensors.js'
export { openFile, readFile, readRange } from './read-file.js'
export type { SafetensorsDtype } from './safetensors-header.js'
export {
  type LazyTensor,
  type SafetensorsOptions,
  type StoredDtype,
  safetensorsBytes,
  safetensorsStream,
  writeSafetensors,
} from './safetensors-writer.js'
export { isRunning, removeLeftovers, temporaryName } from './temporary.js'
export { type FloatTensor, readTensors, type TensorInfo, type TensorReader } from './tensor-reader.js'
