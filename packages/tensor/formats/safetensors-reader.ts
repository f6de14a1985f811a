import type { FileHandle } from 'node:fs/promises'
import { type DType, dtypes, type HostTensor } from '../dtype.js'
import { TensorError } from '../errors.js'
import { bfloat16ToFloat32, float16ToFloat32 } from './float16.js'
import { openFile } from './read-file.js'
import { corruptFile, MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader, type TensorEntry } from './safetensors-header.js'
import type { TensorReader } from './tensor-reader.js'

/** Elements converted at a time. */
const CHUNK = 1 << 19

/** One safetensors file: the header is read and checked at once, tensors when asked for, by positional reads. */
export class SafetensorsFile implements TensorReader {
  readonly #handle: FileHandle
  readonly #header: SafetensorsHeader
  readonly #dataStart: number

  private constructor(
    readonly path: string,
    handle: FileHandle,
    header: SafetensorsHeader,
    dataStart: number,
  ) {
    this.#handle = handle
    this.#header = header
    this.#dataStart = dataStart
  }

  /** @throws TensorError FILE_NOT_FOUND, FILE_TRUNCATED, FILE_CORRUPT */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await openFile(path)
    try {
      const { size } = await handle.stat()
      if (size < 8) throw truncated(path, `it has ${size} bytes, a header alone has more`)
      const length = Number(new DataView((await readBytes(handle, 0, 8, path)).buffer).getBigUint64(0, true))
      if (length > MAX_HEADER_BYTES)
        throw corruptFile(path, `its header would have ${length} bytes, at most ${MAX_HEADER_BYTES} are allowed`)
      if (8 + length > size) throw truncated(path, `its header should have ${length} bytes, the file ends after ${size - 8}`)
      const header = parseHeader(await readBytes(handle, 8, length, path), size - 8 - length, path)
      return new SafetensorsFile(path, handle, header, 8 + length)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata
  }

  get tensors(): ReadonlyMap<string, TensorEntry> {
    return this.#header.tensors
  }

  async read(name: string, target?: Float32Array): Promise<Float32Array> {
    const entry = this.#entry(name)
    if (target && target.length !== entry.elements) {
      const held = `"${name}" [${entry.shape.join(', ')}] of ${this.path} has ${entry.elements} elements`
      throw new TensorError('SHAPE_MISMATCH', `${held}, the target ${target.length}`)
    }
    const convert = CONVERSIONS[entry.dtype]
    if (convert === undefined) {
      throw new TensorError(
        'TENSOR_UNSUPPORTED',
        `"${name}" in ${this.path} is ${entry.dtype}; this reads F32, F16, BF16 and I64`,
      )
    }
    const values = target ?? new Float32Array(entry.elements)
    const start = this.#dataStart + entry.begin
    if (convert === 'as it is') {
      await readInto(this.#handle, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start, this.path)
      return values
    }
    const width = entry.dtype === 'I64' ? 8 : 2
    const scratch = new Uint8Array(width * Math.min(CHUNK, entry.elements))
    for (let done = 0; done < entry.elements; done += CHUNK) {
      const count = Math.min(CHUNK, entry.elements - done)
      const bytes = scratch.subarray(0, width * count)
      await readInto(this.#handle, bytes, start + width * done, this.path)
      convert(bytes, values.subarray(done, done + count))
    }
    return values
  }

  async readHost(name: string): Promise<HostTensor> {
    const entry = this.#entry(name)
    const dtype = EXACT[entry.dtype]
    if (dtype === undefined) return { dtype: 'f32', shape: entry.shape, data: await this.read(name) }
    const data = new dtypes[dtype].array(entry.elements)
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    await readInto(this.#handle, bytes, this.#dataStart + entry.begin, this.path)
    return { dtype, shape: entry.shape, data }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  #entry(name: string): TensorEntry {
    const entry = this.tensors.get(name)
    if (!entry) throw new TensorError('TENSOR_MISSING', `${this.path} holds no tensor "${name}"`)
    return entry
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

type Convert = (bytes: Uint8Array, target: Float32Array) => void

/** What host tensors hold as it is stored; the rest is read as float32. */
const EXACT: Readonly<Record<string, DType>> = { I64: 'i64', I32: 'i32', I8: 'i8', U8: 'u8', BOOL: 'bool' }

/** From the stored form to float32, by dtype. */
const CONVERSIONS: Readonly<Record<string, Convert | 'as it is'>> = {
  F32: 'as it is',
  F16: (bytes, target) => float16ToFloat32(new Uint16Array(bytes.buffer, bytes.byteOffset, target.length), target),
  BF16: (bytes, target) => bfloat16ToFloat32(new Uint16Array(bytes.buffer, bytes.byteOffset, target.length), target),
  I64: (bytes, target) => {
    const values = new BigInt64Array(bytes.buffer, bytes.byteOffset, target.length)
    for (let index = 0; index < target.length; index++) target[index] = Number(values[index])
  },
}

async function readBytes(handle: FileHandle, position: number, length: number, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  await readInto(handle, bytes, position, path)
  return bytes
}

/** Most systems read at most 2 GiB at once. */
const MAX_READ = 1 << 30

async function readInto(handle: FileHandle, bytes: Uint8Array, position: number, path: string): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(MAX_READ, bytes.byteLength - done), position + done)
    if (bytesRead === 0) throw truncated(path, `it ended while it was read, at byte ${position + done}`)
    done += bytesRead
  }
}

function truncated(path: string, what: string): TensorError {
  return new TensorError('FILE_TRUNCATED', `${path} is truncated: ${what}. Copy or download it again`)
}
