import { ALIGNMENT, type GgufTensor, LIST, MAGIC, STRING, VERSION } from './gguf-header.js'
import { GGUF_TYPES } from './gguf-types.js'

/** A value with the type it is written in. */
export type TypedValue =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s'; readonly value: Int32Array }
  | { readonly type: 'f32s'; readonly value: Float32Array }

const U32 = 4
const I32 = 5
const F32 = 6
const BOOL = 7

/** The head of a file, padded so that the data starts at a multiple of the alignment. Offsets of tensors follow from their sizes. */
export function encodeGgufHeader(
  metadata: Readonly<Record<string, TypedValue>>,
  tensors: readonly Pick<GgufTensor, 'name' | 'type' | 'shape' | 'bytes'>[],
): Uint8Array {
  const out = new HeaderWriter()
  out.u32(MAGIC)
  out.u32(VERSION)
  out.u64(tensors.length)
  out.u64(Object.keys(metadata).length)
  for (const [key, typed] of Object.entries(metadata)) {
    out.string(key)
    out.value(typed)
  }
  let offset = 0
  for (const { name, type, shape, bytes } of tensors) {
    out.string(name)
    out.u32(shape.length)
    for (const size of [...shape].reverse()) out.u64(size)
    out.u32(GGUF_TYPES[type].id)
    out.u64(offset)
    offset += aligned(bytes)
  }
  return out.padded()
}

/** The next multiple of the alignment. */
export function aligned(bytes: number): number {
  return ALIGNMENT * Math.ceil(bytes / ALIGNMENT)
}

class HeaderWriter {
  #bytes = new Uint8Array(1 << 16)
  #length = 0
  readonly #utf8 = new TextEncoder()

  u32(value: number): void {
    this.#reserve(4).setUint32(0, value, true)
  }

  u64(value: number): void {
    this.#reserve(8).setBigUint64(0, BigInt(value), true)
  }

  string(text: string): void {
    const bytes = this.#utf8.encode(text)
    this.u64(bytes.length)
    this.#raw(bytes)
  }

  value(typed: TypedValue): void {
    switch (typed.type) {
      case 'u32':
        this.u32(U32)
        this.u32(typed.value)
        break
      case 'f32':
        this.u32(F32)
        this.#reserve(4).setFloat32(0, typed.value, true)
        break
      case 'bool':
        this.u32(BOOL)
        this.#reserve(1).setUint8(0, typed.value ? 1 : 0)
        break
      case 'string':
        this.u32(STRING)
        this.string(typed.value)
        break
      case 'strings':
        this.#list(STRING, typed.value.length)
        for (const text of typed.value) this.string(text)
        break
      case 'i32s':
      case 'f32s':
        this.#list(typed.type === 'i32s' ? I32 : F32, typed.value.length)
        this.#raw(new Uint8Array(typed.value.buffer, typed.value.byteOffset, typed.value.byteLength))
        break
    }
  }

  padded(): Uint8Array {
    this.#reserve(aligned(this.#length) - this.#length)
    return this.#bytes.subarray(0, this.#length)
  }

  #list(type: number, count: number): void {
    this.u32(LIST)
    this.u32(type)
    this.u64(count)
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length - bytes.length)
  }

  /** The next bytes, to be filled; those not yet written are zero. */
  #reserve(count: number): DataView {
    if (this.#length + count > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    const view = new DataView(this.#bytes.buffer, this.#length, count)
    this.#length += count
    return view
  }
}
