import type { HostTensor } from '../dtype.js'
import type { SafetensorsDtype } from './safetensors-header.js'

/** A `HostTensor` of float32. */
export interface FloatTensor {
  readonly dtype: 'f32'
  readonly shape: readonly number[]
  /** Row-major. */
  readonly data: Float32Array
}

/** What a file says about one of its tensors. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  readonly elements: number
  /** Size in the file. */
  readonly bytes: number
}

/** Named tensors on a disk, read one at a time. Close it, or hold it with `await using`. */
export interface TensorReader extends AsyncDisposable {
  /** The file or folder, as messages name it. */
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /**
   * Reads one tensor as float32, into `target` if given (its length must agree).
   * @throws TensorError TENSOR_MISSING, TENSOR_UNSUPPORTED, SHAPE_MISMATCH, FILE_TRUNCATED
   */
  read(name: string, target?: Float32Array): Promise<Float32Array>
  /**
   * Reads one tensor in its own type; f16 and bf16 widen to f32.
   * @throws TensorError TENSOR_MISSING, TENSOR_UNSUPPORTED, FILE_TRUNCATED
   */
  readHost(name: string): Promise<HostTensor>
  close(): Promise<void>
}

/** Reads every tensor into memory, as float32. */
export async function readTensors(reader: TensorReader): Promise<Record<string, FloatTensor>> {
  const entries: [string, FloatTensor][] = []
  for (const { name, shape } of reader.tensors.values()) {
    entries.push([name, { dtype: 'f32', shape, data: await reader.read(name) }])
  }
  return Object.fromEntries(entries)
}
