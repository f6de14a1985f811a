import type { FileHandle } from 'node:fs/promises'
import { type FileDigest, openFile, type WriteOptions, writeAtomic } from '@enigma/tensor/formats'
import { LmError } from '../errors.js'
import { aligned, encodeGgufHeader, type TypedValue } from './gguf-encode.js'
import { type ByteSource, type GgufHeader, type GgufMetadata, type GgufTensor, readGgufHeader } from './gguf-header.js'
import { GGUF_TYPES, type GgufType, type GgufTypeName } from './gguf-types.js'

/** Elements converted at a time: whole blocks. */
const CHUNK = 1 << 18
/** Bytes of the head read at a time. */
const WINDOW = 1 << 16

/** An open GGUF file: its head is read and checked at once, tensors when asked for. Close it, or hold it with `await using`. */
export class GgufFile implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #header: GgufHeader

  private constructor(
    readonly path: string,
    handle: FileHandle,
    header: GgufHeader,
  ) {
    this.#handle = handle
    this.#header = header
  }

  /** @throws LmError FILE_CORRUPT, FILE_TRUNCATED, UNSUPPORTED_MODEL; TensorError FILE_NOT_FOUND */
  static async open(path: string): Promise<GgufFile> {
    const handle = await openFile(path)
    try {
      const { size } = await handle.stat()
      return new GgufFile(path, handle, await readGgufHeader(new FileBytes(handle, size, path), size, path))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get metadata(): GgufMetadata {
    return this.#header.metadata
  }

  get tensors(): ReadonlyMap<string, GgufTensor> {
    return this.#header.tensors
  }

  /**
   * One tensor as float32, in pieces of `size` elements (whole blocks); a piece is valid until the next is asked for. Quantized
   * tensors grow sevenfold when they are read: in pieces they need not lie in memory.
   * @throws LmError TENSOR_MISSING, FILE_TRUNCATED
   */
  async *pieces(name: string, size = CHUNK): AsyncGenerator<Float32Array> {
    const tensor = this.#tensor(name)
    const { block, bytes, decode }: GgufType = GGUF_TYPES[tensor.type]
    const step = Math.min(size, tensor.elements)
    if (step % block !== 0)
      throw new LmError(
        'UNSUPPORTED_MODEL',
        `${this.path}: "${name}" is ${tensor.type}, whose blocks of ${block} do not fit pieces of ${step}`,
      )
    const values = new Float32Array(step)
    const scratch = new Uint8Array((step / block) * bytes)
    for (let done = 0; done < tensor.elements; done += step) {
      const count = Math.min(step, tensor.elements - done)
      const stored = scratch.subarray(0, (count / block) * bytes)
      await readInto(this.#handle, stored, tensor.begin + (done / block) * bytes, this.path)
      const piece = values.subarray(0, count)
      decode(stored, piece)
      yield piece
    }
  }

  /** One tensor as float32. @throws LmError TENSOR_MISSING, FILE_TRUNCATED */
  async read(name: string): Promise<Float32Array> {
    const values = new Float32Array(this.#tensor(name).elements)
    let done = 0
    for await (const piece of this.pieces(name)) {
      values.set(piece, done)
      done += piece.length
    }
    return values
  }

  #tensor(name: string): GgufTensor {
    const tensor = this.tensors.get(name)
    if (!tensor) throw new LmError('TENSOR_MISSING', `${this.path} holds no tensor "${name}"`)
    return tensor
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** The bytes of a file in order, through a window that is as large as what is asked for, and never larger than what is left. */
class FileBytes implements ByteSource {
  position = 0
  readonly #handle: FileHandle
  readonly #path: string
  readonly #size: number
  #window = new Uint8Array(0)
  /** Where the window starts in the file. */
  #start = 0

  constructor(handle: FileHandle, size: number, path: string) {
    this.#handle = handle
    this.#size = size
    this.#path = path
  }

  get left(): number {
    return this.#size - this.position
  }

  async take(count: number): Promise<DataView> {
    if (count > this.left) throw truncated(this.#path, `${count} bytes should follow byte ${this.position}, ${this.left} do`)
    if (this.position + count > this.#start + this.#window.length) {
      this.#start = this.position
      const length = Math.min(Math.max(count, WINDOW), this.left)
      if (this.#window.length !== length) this.#window = new Uint8Array(length)
      await readInto(this.#handle, this.#window, this.#start, this.#path)
    }
    const view = new DataView(this.#window.buffer, this.position - this.#start, count)
    this.position += count
    return view
  }
}

/** Most systems read at most 2 GiB at once. */
const MAX_READ = 1 << 30

async function readInto(handle: FileHandle, bytes: Uint8Array, position: number, path: string): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(MAX_READ, bytes.byteLength - done), position + done)
    if (bytesRead === 0) throw truncated(path, `it ended while it was read, at byte ${position + done}`)
    done += bytesRead
  }
}

function truncated(path: string, what: string): LmError {
  return new LmError('FILE_TRUNCATED', `${path} is truncated: ${what}. Copy or download it again`)
}

/** A tensor to be written; its values are asked for when its turn comes. */
export interface GgufContent {
  readonly name: string
  readonly shape: readonly number[]
  readonly type: GgufTypeName
  readonly values: () => Float32Array | Promise<Float32Array>
}

/**
 * Writes a GGUF file, atomically, holding one tensor at a time.
 * @throws LmError SHAPE_MISMATCH, TENSOR_OVERFLOW
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export function writeGguf(
  path: string,
  metadata: Readonly<Record<string, TypedValue>>,
  tensors: readonly GgufContent[],
  options: WriteOptions = {},
): Promise<FileDigest> {
  return writeAtomic(path, ggufBytes(metadata, tensors), options)
}

/** The pieces of a GGUF file in order. A piece is valid until the next one is asked for. */
async function* ggufBytes(
  metadata: Readonly<Record<string, TypedValue>>,
  tensors: readonly GgufContent[],
): AsyncGenerator<Uint8Array> {
  const described = tensors.map((tensor) => ({ ...tensor, ...sizeOf(tensor) }))
  yield encodeGgufHeader(metadata, described)
  for (const { name, type, elements, bytes, values } of described) {
    const data = await values()
    if (data.length !== elements)
      throw new LmError('SHAPE_MISMATCH', `"${name}" needs ${elements} elements, its data has ${data.length}`)
    const { block, bytes: width, encode }: GgufType = GGUF_TYPES[type]
    if (!encode) throw new LmError('INVALID_OPTION', `Tensors are not written as ${type}`)
    const scratch = new Uint8Array((Math.min(CHUNK, elements) / block) * width)
    for (let done = 0; done < elements; done += CHUNK) {
      const part = data.subarray(done, done + CHUNK)
      const piece = scratch.subarray(0, (part.length / block) * width)
      const overflows = encode(part, piece)
      if (overflows > 0) {
        const message = `"${name}" has values too large for ${type} (${overflows} in elements ${done} to ${done + part.length - 1})`
        throw new LmError('TENSOR_OVERFLOW', `${message}. Store it as f32`)
      }
      yield piece
    }
    const padding = aligned(bytes) - bytes
    if (padding > 0) yield new Uint8Array(padding)
  }
}

function sizeOf({ name, shape, type }: GgufContent): { elements: number; bytes: number } {
  const { block, bytes }: GgufType = GGUF_TYPES[type]
  if ((shape.at(-1) ?? 1) % block !== 0)
    throw new LmError('SHAPE_MISMATCH', `"${name}" [${shape.join(', ')}] cannot be ${type}: rows must be multiples of ${block}`)
  const elements = shape.reduce((product, size) => product * size, 1)
  return { elements, bytes: (elements / block) * bytes }
}
