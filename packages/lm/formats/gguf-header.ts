import { LmError } from '../errors.js'
import { GGUF_TYPES, type GgufType, type GgufTypeName, OTHER_TYPES } from './gguf-types.js'

/**
 * The head of a GGUF file (version 3, little-endian; ggml's `docs/gguf.md`): magic, version, counts, metadata as typed keys and
 * values, then name, sizes (innermost first), type and offset of each tensor; the data follows at a multiple of the alignment.
 */

export const MAGIC = 0x46554747
export const VERSION = 3
/** Of data where the file does not say otherwise. */
export const ALIGNMENT = 32

/** Numbers in lists stay typed arrays of their width, so that a list takes no more memory than in the file. */
export type GgufList =
  | readonly string[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array

export type GgufValue = number | bigint | boolean | string | GgufList

export type GgufMetadata = ReadonlyMap<string, GgufValue>

export interface GgufTensor {
  readonly name: string
  readonly type: GgufTypeName
  /** Outermost first, as everywhere here. */
  readonly shape: readonly number[]
  readonly elements: number
  readonly bytes: number
  /** From the start of the file. */
  readonly begin: number
}

/** Gives bytes of the file in order; throws when there are fewer. */
export interface ByteSource {
  /** A view that is valid until the next call. */
  take(count: number): Promise<DataView>
  /** Bytes not taken yet. */
  readonly left: number
  readonly position: number
}

interface Scalar {
  readonly bytes: number
  readonly read: (view: DataView, at: number) => number | bigint | boolean
  readonly array: new (buffer: ArrayBuffer) => Exclude<GgufList, readonly string[]>
}

const scalar = (bytes: number, read: Scalar['read'], array: Scalar['array']): Scalar => ({ bytes, read, array })
export const STRING = 8
export const LIST = 9
const SCALARS: ReadonlyMap<number, Scalar> = new Map([
  [0, scalar(1, (view, at) => view.getUint8(at), Uint8Array)],
  [1, scalar(1, (view, at) => view.getInt8(at), Int8Array)],
  [2, scalar(2, (view, at) => view.getUint16(at, true), Uint16Array)],
  [3, scalar(2, (view, at) => view.getInt16(at, true), Int16Array)],
  [4, scalar(4, (view, at) => view.getUint32(at, true), Uint32Array)],
  [5, scalar(4, (view, at) => view.getInt32(at, true), Int32Array)],
  [6, scalar(4, (view, at) => view.getFloat32(at, true), Float32Array)],
  [7, scalar(1, (view, at) => view.getUint8(at) !== 0, Uint8Array)],
  [10, scalar(8, (view, at) => view.getBigUint64(at, true), BigUint64Array)],
  [11, scalar(8, (view, at) => view.getBigInt64(at, true), BigInt64Array)],
  [12, scalar(8, (view, at) => view.getFloat64(at, true), Float64Array)],
])

const TYPES_BY_ID: ReadonlyMap<number, GgufTypeName> = new Map(
  Object.entries(GGUF_TYPES).map(([name, type]) => [type.id, name as GgufTypeName]),
)

export interface GgufHeader {
  readonly metadata: GgufMetadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

/**
 * Reads and checks the head of a file of `size` bytes. Nothing is reserved on the word of the file: every count is held against the
 * bytes that are left first.
 * @throws LmError FILE_CORRUPT, FILE_TRUNCATED, UNSUPPORTED_MODEL: every message names the file
 */
export async function readGgufHeader(source: ByteSource, size: number, path: string): Promise<GgufHeader> {
  const reader = new HeaderReader(source, path)
  if ((await reader.u32()) !== MAGIC) throw reader.corrupt('it does not start with GGUF')
  const version = await reader.u32()
  if (version !== 2 && version !== VERSION)
    throw new LmError('UNSUPPORTED_MODEL', `${path} is GGUF version ${version}; this reads versions 2 and 3. Convert it again`)
  const tensorCount = await reader.count(4 + 8 + 12, 'tensors')
  const keyCount = await reader.count(8 + 4 + 1, 'metadata keys')
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < keyCount; i++) {
    const key = await reader.string()
    if (metadata.has(key)) throw reader.corrupt(`the key "${key}" occurs twice`)
    metadata.set(key, await reader.value(key))
  }
  const described: Described[] = []
  for (let i = 0; i < tensorCount; i++) described.push(await reader.tensor())
  const alignment = metadata.get('general.alignment') ?? ALIGNMENT
  if (typeof alignment !== 'number' || !Number.isSafeInteger(alignment) || alignment <= 0 || alignment > 1 << 20)
    throw reader.corrupt(`general.alignment is ${alignment}`)
  const start = alignment * Math.ceil(source.position / alignment)
  return { metadata, tensors: placed(described, { start, alignment, size }, reader) }
}

type Described = Omit<GgufTensor, 'begin'> & { readonly offset: number }

function placed(
  described: readonly Described[],
  place: { start: number; alignment: number; size: number },
  reader: HeaderReader,
) {
  const tensors = new Map<string, GgufTensor>()
  let end = 0
  for (const { offset, ...tensor } of [...described].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    const { name, bytes } = tensor
    if (tensors.has(name)) throw reader.corrupt(`tensor "${name}" occurs twice`)
    if (offset % place.alignment !== 0) throw reader.corrupt(`tensor "${name}" does not lie at a multiple of ${place.alignment}`)
    if (offset < end) throw reader.corrupt(`tensor "${name}" overlaps the one before it`)
    const begin = place.start + offset
    if (begin + bytes > place.size) {
      const message = `${reader.path} is truncated: tensor "${name}" ends at byte ${begin + bytes}, the file at ${place.size}. Copy or download it again`
      throw new LmError('FILE_TRUNCATED', message)
    }
    end = offset + bytes
    tensors.set(name, { ...tensor, begin })
  }
  return tensors
}

class HeaderReader {
  readonly #source: ByteSource
  readonly #utf8 = new TextDecoder('utf-8')

  constructor(
    source: ByteSource,
    readonly path: string,
  ) {
    this.#source = source
  }

  corrupt(what: string): LmError {
    return new LmError('FILE_CORRUPT', `${this.path} is not a sound GGUF file: ${what}. Copy or download it again`)
  }

  async u32(): Promise<number> {
    return (await this.#source.take(4)).getUint32(0, true)
  }

  /** A count of things that take at least `least` bytes each. */
  async count(least: number, what: string): Promise<number> {
    const count = Number((await this.#source.take(8)).getBigUint64(0, true))
    if (count * least > this.#source.left)
      throw this.corrupt(`it promises ${count} ${what}, only ${this.#source.left} bytes are left`)
    return count
  }

  async string(): Promise<string> {
    const view = await this.#source.take(await this.count(1, 'bytes of text'))
    return this.#utf8.decode(view)
  }

  async value(key: string): Promise<GgufValue> {
    const type = await this.u32()
    if (type === STRING) return this.string()
    if (type === LIST) return this.#list(key)
    const found = SCALARS.get(type)
    if (!found) throw this.corrupt(`"${key}" has the unknown type ${type}`)
    return found.read(await this.#source.take(found.bytes), 0)
  }

  async #list(key: string): Promise<GgufList> {
    const type = await this.u32()
    if (type === STRING) {
      const count = await this.count(8, `texts in "${key}"`)
      const texts: string[] = []
      for (let i = 0; i < count; i++) texts.push(await this.string())
      return texts
    }
    const found = SCALARS.get(type)
    if (!found) throw this.corrupt(`"${key}" is a list of the unknown type ${type}`)
    const count = await this.count(found.bytes, `elements of "${key}"`)
    const { buffer, byteOffset, byteLength } = await this.#source.take(count * found.bytes)
    return new found.array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
  }

  async tensor(): Promise<Described> {
    const name = await this.string()
    const rank = await this.u32()
    if (rank > 4) throw this.corrupt(`tensor "${name}" has ${rank} dimensions, at most 4 are allowed`)
    const sizes: number[] = []
    const view = await this.#source.take(8 * rank + 12)
    for (let axis = 0; axis < rank; axis++) sizes.push(Number(view.getBigUint64(8 * axis, true)))
    const id = view.getUint32(8 * rank, true)
    const offset = Number(view.getBigUint64(8 * rank + 4, true))
    const type = TYPES_BY_ID.get(id)
    if (type === undefined) {
      const names = Object.keys(GGUF_TYPES).join(', ')
      const message = `${this.path}: tensor "${name}" is stored as ${OTHER_TYPES.get(id) ?? `type ${id}`}; this reads ${names}`
      throw new LmError('UNSUPPORTED_MODEL', `${message}. Take a file in one of these`)
    }
    const { block, bytes }: GgufType = GGUF_TYPES[type]
    const elements = sizes.reduce((product, size) => product * size, 1)
    if (!Number.isSafeInteger(elements) || elements === 0 || (sizes[0] ?? 1) % block !== 0)
      throw this.corrupt(`tensor "${name}" (${type}) has the sizes [${sizes.join(', ')}]`)
    return { name, type, shape: sizes.reverse(), elements, bytes: (elements / block) * bytes, offset }
  }
}
