import { LmError } from '../errors.js'
import type { StoredDtype } from '../huggingface-config.js'
import { type FileDigest, type WriteOptions, writeAtomic } from './durable.js'
import { float32ToBfloat16, float32ToFloat16 } from './float16.js'
import { encodeHeader } from './safetensors-header.js'
import type { FloatTensor } from './tensor-reader.js'

export interface SafetensorsOptions {
  /** How elements are stored (default 'f32'); rounding is to nearest, ties to even. */
  readonly dtype?: StoredDtype
  /** Default `{format: 'pt'}`, which transformers asks for. */
  readonly metadata?: Readonly<Record<string, string>>
}

const STORED = {
  f32: { name: 'F32', bytes: 4, round: null },
  f16: { name: 'F16', bytes: 2, round: float32ToFloat16 },
  bf16: { name: 'BF16', bytes: 2, round: float32ToBfloat16 },
} as const

/** Elements written at a time: 4 MiB of float32. */
const CHUNK = 1 << 20

/**
 * Writes a safetensors file, atomically: whatever happens, `path` holds the old file or the new.
 * @throws LmError SHAPE_MISMATCH when data and shape disagree
 * @throws LmError TENSOR_OVERFLOW when a finite value has no finite form in the chosen dtype
 * @throws LmError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, FloatTensor>>,
  options: SafetensorsOptions & WriteOptions = {},
): Promise<FileDigest> {
  return writeAtomic(path, safetensorsBytes(tensors, options), options)
}

/** The pieces of a safetensors file in order. A piece is valid until the next one is asked for. */
export function* safetensorsBytes(
  tensors: Readonly<Record<string, FloatTensor>>,
  options: SafetensorsOptions = {},
): Generator<Uint8Array> {
  const { dtype = 'f32', metadata = { format: 'pt' } } = options
  const stored = STORED[dtype]
  const entries = Object.entries(tensors)
  const described = entries.map(([name, { shape, data }]) => {
    if (name === '__metadata__')
      throw new LmError('TENSOR_UNSUPPORTED', 'A tensor cannot be called "__metadata__" in a safetensors file')
    const elements = shape.reduce((product, size) => product * size, 1)
    if (elements !== data.length) {
      throw new LmError(
        'SHAPE_MISMATCH',
        `"${name}" [${shape.join(', ')}] needs ${elements} elements, its data has ${data.length}`,
      )
    }
    return { name, shape, bytes: elements * stored.bytes }
  })
  yield encodeHeader(described, stored.name, metadata)

  const scratch = stored.round ? new Uint16Array(CHUNK) : null
  for (const [name, { data }] of entries) {
    for (let start = 0; start < data.length; start += CHUNK) {
      const piece = data.subarray(start, start + CHUNK)
      if (!stored.round || !scratch) {
        yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
        continue
      }
      const overflows = stored.round(piece, scratch)
      if (overflows > 0) {
        const message = `"${name}" has values too large for ${dtype} (${overflows} in elements ${start} to ${start + piece.length - 1}). Store it as ${dtype === 'f16' ? 'bf16 or f32' : 'f32'}`
        throw new LmError('TENSOR_OVERFLOW', message)
      }
      yield new Uint8Array(scratch.buffer, 0, 2 * piece.length)
    }
  }
}
