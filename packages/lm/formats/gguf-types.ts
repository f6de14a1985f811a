import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '@enigma/tensor/formats'

/**
 * How GGUF stores tensors (ggml's `ggml_type`): in blocks of so many elements and bytes. Quantized blocks of 32 hold a scale as half
 * precision and small whole numbers; rounding is that of ggml's reference (`ggml-quants.c`, `quantize_row_*_ref`), bit by bit.
 */
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
} as const satisfies Readonly<Record<string, GgufType>>

export type GgufTypeName = keyof typeof GGUF_TYPES

/** The names of ggml's other types, for messages. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [9, 'Q8_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K'],
  [12, 'Q4_K'],
  [13, 'Q5_K'],
  [14, 'Q6_K'],
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

const SIZE = 32

/** Reads and writes single halves by the conversions of whole lists. */
function halfCell() {
  const half = new Uint16Array(1)
  const float = new Float32Array(1)
  return {
    read(bytes: Uint8Array, at: number): number {
      half[0] = bytes[at]! | (bytes[at + 1]! << 8)
      float16ToFloat32(half, float)
      return float[0]!
    },
    /** Returns 1 where a finite value became infinite. */
    write(value: number, bytes: Uint8Array, at: number): number {
      float[0] = value
      const overflows = float32ToFloat16(float, half)
      bytes[at] = half[0]! & 255
      bytes[at + 1] = half[0]! >> 8
      return overflows
    },
  }
}

function decodeQ8(source: Uint8Array, target: Float32Array): void {
  const cell = halfCell()
  const signed = new Int8Array(source.buffer, source.byteOffset, source.byteLength)
  for (let at = 0, out = 0; out < target.length; at += 34, out += SIZE) {
    const scale = cell.read(source, at)
    for (let i = 0; i < SIZE; i++) target[out + i] = scale * signed[at + 2 + i]!
  }
}

/** C's roundf: to nearest, halves away from zero. */
const round = (value: number) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5)

function encodeQ8(source: Float32Array, target: Uint8Array): number {
  const cell = halfCell()
  let overflows = 0
  for (let from = 0, at = 0; from < source.length; from += SIZE, at += 34) {
    let largest = 0
    for (let i = from; i < from + SIZE; i++) largest = Math.max(largest, Math.abs(source[i]!))
    const scale = Math.fround(largest / 127)
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
    overflows += cell.write(scale, target, at)
    for (let i = 0; i < SIZE; i++) target[at + 2 + i] = round(Math.fround(source[from + i]! * inverse))
  }
  return overflows
}

/** 16 bytes hold the low and high 4 bits of elements i and i + 16; without a minimum, 8 stands for zero. */
function decodeFours(head: number, hasMinimum: boolean) {
  const zero = hasMinimum ? 0 : 8
  return (source: Uint8Array, target: Float32Array): void => {
    const cell = halfCell()
    for (let at = 0, out = 0; out < target.length; at += head + 16, out += SIZE) {
      const scale = cell.read(source, at)
      // Adding -0 changes no number, not even the sign of a zero.
      const minimum = hasMinimum ? cell.read(source, at + 2) : -0
      for (let i = 0; i < 16; i++) {
        const pair = source[at + head + i]!
        target[out + i] = ((pair & 15) - zero) * scale + minimum
        target[out + 16 + i] = ((pair >> 4) - zero) * scale + minimum
      }
    }
  }
}

function encodeQ4(source: Float32Array, target: Uint8Array): number {
  const cell = halfCell()
  let overflows = 0
  for (let from = 0, at = 0; from < source.length; from += SIZE, at += 18) {
    let extreme = 0
    for (let i = from; i < from + SIZE; i++) if (Math.abs(source[i]!) > Math.abs(extreme)) extreme = source[i]!
    const scale = Math.fround(extreme / -8)
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
    overflows += cell.write(scale, target, at)
    const level = (i: number) => Math.min(15, Math.trunc(Math.fround(Math.fround(source[from + i]! * inverse) + 8.5)))
    for (let i = 0; i < 16; i++) target[at + 2 + i] = level(i) | (level(16 + i) << 4)
  }
  return overflows
}

/** As `decodeFours`, with the fifth bits of all 32 elements in one 32-bit number; without a minimum, 16 stands for zero. */
function decodeFives(head: number, hasMinimum: boolean) {
  const zero = hasMinimum ? 0 : 16
  return (source: Uint8Array, target: Float32Array): void => {
    const cell = halfCell()
    for (let at = 0, out = 0; out < target.length; at += head + 20, out += SIZE) {
      const scale = cell.read(source, at)
      const minimum = hasMinimum ? cell.read(source, at + 2) : -0
      const bits = at + head
      const fifth = (i: number) => ((source[bits + (i >> 3)]! >> (i & 7)) & 1) << 4
      for (let i = 0; i < 16; i++) {
        const pair = source[bits + 4 + i]!
        target[out + i] = (((pair & 15) | fifth(i)) - zero) * scale + minimum
        target[out + 16 + i] = (((pair >> 4) | fifth(16 + i)) - zero) * scale + minimum
      }
    }
  }
}
