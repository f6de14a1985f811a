import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '@enigma/tensor/formats'
import { decodeFives, decodeFours, decodeQ8, encodeQ4, encodeQ8 } from './gguf-blocks.js'
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './gguf-k-quants.js'

/** How GGUF stores tensors (ggml's `ggml_type`): in blocks of so many elements and bytes. */
export interface GgufType {
  readonly id: number
  /** Elements of a block; rows of a tensor are whole numbers of blocks. */
  readonly block: number
  /** Bytes of a block. */
  readonly bytes: number
  /** `target.length` elements out of their blocks. */
  readonly decode: (source: Uint8Array, target: Float32Array) => void
  /** Elements into blocks; how many finite ones became infinite. Not every type is written. */
  readonly encode?: (source: Float32Array, target: Uint8Array) => number
}

const halves = (bytes: Uint8Array) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
const floats = (bytes: Uint8Array) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)

/** The types by name; sources and targets start at a multiple of 4 bytes. */
export const GGUF_TYPES = {
  F32: {
    id: 0,
    block: 1,
    bytes: 4,
    decode: (source, target) => target.set(floats(source)),
    encode: (source, target) => {
      floats(target).set(source)
      return 0
    },
  },
  F16: {
    id: 1,
    block: 1,
    bytes: 2,
    decode: (source, target) => float16ToFloat32(halves(source), target),
    encode: (source, target) => float32ToFloat16(source, halves(target)),
  },
  BF16: {
    id: 30,
    block: 1,
    bytes: 2,
    decode: (source, target) => bfloat16ToFloat32(halves(source), target),
    encode: (source, target) => float32ToBfloat16(source, halves(target)),
  },
  Q8_0: { id: 8, block: 32, bytes: 34, decode: decodeQ8, encode: encodeQ8 },
  Q4_0: { id: 2, block: 32, bytes: 18, decode: decodeFours(2, false), encode: encodeQ4 },
  Q4_1: { id: 3, block: 32, bytes: 20, decode: decodeFours(4, true) },
  Q5_0: { id: 6, block: 32, bytes: 22, decode: decodeFives(2, false) },
  Q5_1: { id: 7, block: 32, bytes: 24, decode: decodeFives(4, true) },
  Q2_K: { id: 10, block: 256, bytes: 84, decode: decodeQ2K },
  Q3_K: { id: 11, block: 256, bytes: 110, decode: decodeQ3K },
  Q4_K: { id: 12, block: 256, bytes: 144, decode: decodeQ4K },
  Q5_K: { id: 13, block: 256, bytes: 176, decode: decodeQ5K },
  Q6_K: { id: 14, block: 256, bytes: 210, decode: decodeQ6K },
} as const satisfies Readonly<Record<string, GgufType>>

export type GgufTypeName = keyof typeof GGUF_TYPES

/** The names of ggml's other types, for messages. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
])
