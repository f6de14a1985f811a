import { type DType, dtypes, type HostTensor, sizeOf } from '../dtype.js'
import { TensorError } from '../errors.js'
import { type FileDigest, type WriteOptions, writeAtomic } from './durable.js'
import { float32ToBfloat16, float32ToFloat16 } from './float16.js'
import { encodeHeader, type SafetensorsDtype } from './safetensors-header.js'

/** How float32 is stored. */
export type StoredDtype = 'f32' | 'f16' | 'bf16'

export interface SafetensorsOptions {
  /** How float32 is stored (default 'f32'); other types are stored as they are. Rounding is to nearest, ties to even. */
  readonly dtype?: StoredDtype
  /** Default `{format: 'pt'}`, which transformers asks for. */
  readonly metadata?: Readonly<Record<string, string>>
}

const STORED = {
  f32: { name: 'F32', bytes: 4, round: null },
  f16: { name: 'F16', bytes: 2, round: float32ToFloat16 },
  bf16: { name: 'BF16', bytes: 2, round: float32ToBfloat16 },
} as const

/** The format's names of what is stored as it is. */
const EXACT: Readonly<Record<Exclude<DType, 'f32'>, SafetensorsDtype>> = {
  f16: 'F16',
  bf16: 'BF16',
  i64: 'I64',
  i32: 'I32',
  i8: 'I8',
  u8: 'U8',
  bool: 'BOOL',
}

/** Elements written at a time: 4 MiB of float32. */
const CHUNK = 1 << 20

/**
 * Writes a safetensors file, atomically: whatever happens, `path` holds the old file or the new.
 * @throws TensorError SHAPE_MISMATCH when data and shape disagree
 * @throws TensorError TENSOR_OVERFLOW when a finite value has no finite form in the chosen dtype
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, HostTensor>>,
  options: SafetensorsOptions & WriteOptions = {},
): Promise<FileDigest> {
  return writeAtomic(path, safetensorsBytes(tensors, options), options)
}

/** The pieces of a safetensors file in order. A piece is valid until the next one is asked for. */
export function* safetensorsBytes(
  tensors: Readonly<Record<string, HostTensor>>,
  options: SafetensorsOptions = {},
): Generator<Uint8Array> {
  const { dtype = 'f32', metadata = { format: 'pt' } } = options
  const stored = STORED[dtype]
  const entries = Object.entries(tensors)
  const described = entries.map(([name, { dtype: type, shape, data }]) => {
    if (name === '__metadata__')
      throw new TensorError('TENSOR_UNSUPPORTED', 'A tensor cannot be called "__metadata__" in a safetensors file')
    checkSize(name, shape, data)
    const elements = data.length
    return type === 'f32'
      ? { name, shape, dtype: stored.name, bytes: elements * stored.bytes }
      : { name, shape, dtype: EXACT[type], bytes: elements * dtypes[type].bytes }
  })
  yield encodeHeader(described, metadata)
  for (const [name, { data }] of entries) yield* storedPieces(name, data, dtype)
}

/** A float32 tensor whose values are asked for when its turn to be written comes; a piece is valid until the next is asked for. */
export interface LazyTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly pieces: () => AsyncIterable<Float32Array>
}

/** As `safetensorsBytes`, holding one piece of a tensor at a time. @throws TensorError SHAPE_MISMATCH, TENSOR_OVERFLOW */
export async function* safetensorsStream(
  tensors: readonly LazyTensor[],
  options: SafetensorsOptions = {},
): AsyncGenerator<Uint8Array> {
  const { dtype = 'f32', metadata = { format: 'pt' } } = options
  const { name: stored, bytes } = STORED[dtype]
  yield encodeHeader(
    tensors.map(({ name, shape }) => ({ name, shape, dtype: stored, bytes: sizeOf(shape) * bytes })),
    metadata,
  )
  for (const { name, shape, pieces } of tensors) {
    let length = 0
    for await (const piece of pieces()) {
      length += piece.length
      yield* storedPieces(name, piece, dtype)
    }
    checkSize(name, shape, { length })
  }
}

/** The data of one tensor as it is stored. */
function* storedPieces(name: string, data: HostTensor['data'], dtype: StoredDtype): Generator<Uint8Array> {
  const { round } = STORED[dtype]
  const scratch = round && data instanceof Float32Array ? new Uint16Array(Math.min(CHUNK, data.length)) : null
  for (let start = 0; start < data.length; start += CHUNK) {
    const piece = data.subarray(start, start + CHUNK)
    if (!round || !scratch || !(piece instanceof Float32Array)) {
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
      continue
    }
    const overflows = round(piece, scratch)
    if (overflows > 0) {
      const message = `"${name}" has values too large for ${dtype} (${overflows} in elements ${start} to ${start + piece.length - 1}). Store it as ${dtype === 'f16' ? 'bf16 or f32' : 'f32'}`
      throw new TensorError('TENSOR_OVERFLOW', message)
    }
    yield new Uint8Array(scratch.buffer, 0, 2 * piece.length)
  }
}

function checkSize(name: string, shape: readonly number[], data: { readonly length: number }): void {
  const elements = sizeOf(shape)
  if (elements === data.length) return
  throw new TensorError(
    'SHAPE_MISMATCH',
    `"${name}" [${shape.join(', ')}] needs ${elements} elements, its data has ${data.length}`,
  )
}
