import { halfAt, halfWriter } from './half.js'

/**
 * ggml's blocks of 32 elements: a scale (and a minimum) as half precision and small whole numbers. Rounding is that of ggml's reference
 * (`ggml-quants.c`, `quantize_row_*_ref`), bit by bit.
 */

const SIZE = 32

export function decodeQ8(source: Uint8Array, target: Float32Array): void {
  const signed = new Int8Array(source.buffer, source.byteOffset, source.byteLength)
  for (let at = 0, out = 0; out < target.length; at += 34, out += SIZE) {
    const scale = halfAt(source, at)
    for (let i = 0; i < SIZE; i++) target[out + i] = scale * signed[at + 2 + i]!
  }
}

/** C's roundf: to nearest, halves away from zero. */
const round = (value: number) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5)

export function encodeQ8(source: Float32Array, target: Uint8Array): number {
  const writeHalf = halfWriter()
  let overflows = 0
  for (let from = 0, at = 0; from < source.length; from += SIZE, at += 34) {
    let largest = 0
    for (let i = from; i < from + SIZE; i++) largest = Math.max(largest, Math.abs(source[i]!))
    const scale = Math.fround(largest / 127)
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
    overflows += writeHalf(scale, target, at)
    for (let i = 0; i < SIZE; i++) target[at + 2 + i] = round(Math.fround(source[from + i]! * inverse))
  }
  return overflows
}

/** 16 bytes hold the low and high 4 bits of elements i and i + 16; without a minimum, 8 stands for zero. */
export function decodeFours(head: number, hasMinimum: boolean) {
  const zero = hasMinimum ? 0 : 8
  return (source: Uint8Array, target: Float32Array): void => {
    for (let at = 0, out = 0; out < target.length; at += head + 16, out += SIZE) {
      const scale = halfAt(source, at)
      // Adding -0 changes no number, not even the sign of a zero.
      const minimum = hasMinimum ? halfAt(source, at + 2) : -0
      for (let i = 0; i < 16; i++) {
        const pair = source[at + head + i]!
        target[out + i] = ((pair & 15) - zero) * scale + minimum
        target[out + 16 + i] = ((pair >> 4) - zero) * scale + minimum
      }
    }
  }
}

export function encodeQ4(source: Float32Array, target: Uint8Array): number {
  const writeHalf = halfWriter()
  let overflows = 0
  for (let from = 0, at = 0; from < source.length; from += SIZE, at += 18) {
    let extreme = 0
    for (let i = from; i < from + SIZE; i++) if (Math.abs(source[i]!) > Math.abs(extreme)) extreme = source[i]!
    const scale = Math.fround(extreme / -8)
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
    overflows += writeHalf(scale, target, at)
    const level = (i: number) => Math.min(15, Math.trunc(Math.fround(Math.fround(source[from + i]! * inverse) + 8.5)))
    for (let i = 0; i < 16; i++) target[at + 2 + i] = level(i) | (level(16 + i) << 4)
  }
  return overflows
}

/** As `decodeFours`, with the fifth bits of all 32 elements in one 32-bit number; without a minimum, 16 stands for zero. */
export function decodeFives(head: number, hasMinimum: boolean) {
  const zero = hasMinimum ? 0 : 16
  return (source: Uint8Array, target: Float32Array): void => {
    for (let at = 0, out = 0; out < target.length; at += head + 20, out += SIZE) {
      const scale = halfAt(source, at)
      const minimum = hasMinimum ? halfAt(source, at + 2) : -0
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
