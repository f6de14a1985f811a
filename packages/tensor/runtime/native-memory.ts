import koffi from 'koffi'
import { dtypes, type HostTensor } from '../dtype.js'
import type { OrtApi, Pointer } from './ort-api.js'

/**
 * Address of a typed array's first byte, valid while the array is referenced. Reading `buffer` first moves a small array
 * out of the JavaScript heap, where the collector would move it.
 */
export function addressOf(data: ArrayBufferView): Pointer {
  return data.buffer.byteLength === 0 ? 0n : koffi.address(data)
}

/** Bytes and, behind them, an end mark: a C string. On Windows file names are UTF-16. */
export const cString = (text: string, encoding: 'utf8' | 'utf16le' = 'utf8') =>
  new Uint8Array(Buffer.concat([Buffer.from(text, encoding), Buffer.alloc(2)]))

export const readCString = (address: Pointer): string => koffi.decode.string(address)

export const readPointers = (address: Pointer, count: number): Pointer[] =>
  Array.from({ length: count }, (_, index) => BigInt(koffi.decode(address, index * BigUint64Array.BYTES_PER_ELEMENT, 'uint64_t')))

/** An array of C strings, with everything that must stay referenced while native code may read it. */
export class NameArray {
  readonly #strings: readonly Uint8Array[]
  readonly pointers: BigUint64Array

  constructor(readonly names: readonly string[]) {
    this.#strings = names.map((name) => cString(name))
    this.pointers = BigUint64Array.from(this.#strings, addressOf)
  }
}

/** OrtValues over host tensors, without copies. Keeps the tensors' arrays referenced until released. */
export class ValueArray {
  readonly pointers: BigUint64Array
  readonly #api: OrtApi
  /** Held so that the arrays outlive native reads and writes. */
  tensors: readonly HostTensor[]

  constructor(api: OrtApi, memoryInfo: Pointer, tensors: readonly HostTensor[]) {
    this.#api = api
    this.tensors = tensors
    this.pointers = new BigUint64Array(tensors.length)
    try {
      tensors.forEach((tensor, index) => {
        this.pointers[index] = createValue(api, memoryInfo, tensor)
      })
    } catch (error) {
      this.release()
      throw error
    }
  }

  release(): void {
    for (const pointer of this.pointers) if (pointer !== 0n) this.#api.release('Value', pointer)
    this.pointers.fill(0n)
    this.tensors = []
  }
}

function createValue(api: OrtApi, memoryInfo: Pointer, { dtype, shape, data }: HostTensor): Pointer {
  const dims = BigInt64Array.from(shape, BigInt)
  // A tensor without elements still needs an address that is not null.
  const start = data.byteLength === 0 ? memoryInfo : addressOf(data)
  return api.create('CreateTensorWithDataAsOrtValue', memoryInfo, start, data.byteLength, dims, shape.length, dtypes[dtype].onnx)
}
