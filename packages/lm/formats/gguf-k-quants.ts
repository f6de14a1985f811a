import { halfAt } from './half.js'

/**
 * ggml's "K" blocks: 256 elements in 16 or 8 groups, each with a small whole number as scale (and minimum) under one scale of half
 * precision; layouts of `ggml-common.h`, arithmetic of `dequantize_row_*_K`. They are read, not written.
 */

const SIZE = 256

type Decode = (source: Uint8Array, target: Float32Array) => void

/** Decodes block after block; `bytes` is the size of one. */
const blockwise =
  (bytes: number, block: (source: Uint8Array, at: number, target: Float32Array, out: number) => void): Decode =>
  (source, target) => {
    for (let at = 0, out = 0; out < target.length; at += bytes, out += SIZE) block(source, at, target, out)
  }

/** 16 bytes of scale and minimum (4 bits each), 64 of 2-bit numbers, two halves. */
export const decodeQ2K: Decode = blockwise(84, (source, at, target, out) => {
  const [scale, minimum] = [halfAt(source, at + 80), halfAt(source, at + 82)]
  for (let i = 0; i < SIZE; i++) {
    // 128 elements share 32 bytes; each quarter of them has its two bits.
    const level = (source[at + 16 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3
    const group = source[at + (i >> 4)]!
    target[out + i] = scale * (group & 15) * level - minimum * (group >> 4)
  }
})

/** 32 bytes of third bits, 64 of the lower two, 12 of 6-bit scales, a half. */
export const decodeQ3K: Decode = blockwise(110, (source, at, target, out) => {
  const scale = halfAt(source, at + 108)
  for (let i = 0; i < SIZE; i++) {
    const group = i >> 4
    const low = (source[at + 96 + (group & 7)]! >> (4 * (group >> 3))) & 15
    const high = (source[at + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3
    const level = (source[at + 32 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3
    const third = (source[at + (i & 31)]! >> (i >> 5)) & 1
    target[out + i] = scale * ((low | (high << 4)) - 32) * (level - (third ? 0 : 4))
  }
})

/** The scale of a group of 32 and its minimum: 6 bits each, packed into 12 bytes at `at`. */
function scaleAndMinimum(source: Uint8Array, at: number, group: number): [scale: number, minimum: number] {
  const byte = (index: number) => source[at + index]!
  if (group < 4) return [byte(group) & 63, byte(group + 4) & 63]
  return [(byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4), (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4)]
}

/** Two halves, 12 bytes of scales, 128 of 4-bit numbers: 32 bytes hold 32 elements low, the next 32 high. */
export const decodeQ4K: Decode = blockwise(144, (source, at, target, out) => {
  const [scale, minimum] = [halfAt(source, at), halfAt(source, at + 2)]
  for (let group = 0; group < 8; group++) {
    const [factor, offset] = scaleAndMinimum(source, at + 4, group)
    const bytes = at + 16 + 32 * (group >> 1)
    for (let i = 0; i < 32; i++) {
      const level = (source[bytes + i]! >> (4 * (group & 1))) & 15
      target[out + 32 * group + i] = scale * factor * level - minimum * offset
    }
  }
})

/** As Q4_K, with 32 bytes of fifth bits, one bit a group, before the lower four. */
export const decodeQ5K: Decode = blockwise(176, (source, at, target, out) => {
  const [scale, minimum] = [halfAt(source, at), halfAt(source, at + 2)]
  for (let group = 0; group < 8; group++) {
    const [factor, offset] = scaleAndMinimum(source, at + 4, group)
    const bytes = at + 48 + 32 * (group >> 1)
    for (let i = 0; i < 32; i++) {
      const level = ((source[bytes + i]! >> (4 * (group & 1))) & 15) | (((source[at + 16 + i]! >> group) & 1) << 4)
      target[out + 32 * group + i] = scale * factor * level - minimum * offset
    }
  }
})

/** 128 bytes of the lower four bits, 64 of the upper two, 16 signed scales, a half. */
export const decodeQ6K: Decode = blockwise(210, (source, at, target, out) => {
  const scale = halfAt(source, at + 208)
  for (let i = 0; i < SIZE; i++) {
    // Of 128 elements the first 64 are low, the others high in 64 bytes; each quarter has its two upper bits in 32 bytes.
    const [half, quarter] = [i >> 7, (i >> 5) & 3]
    const low = (source[at + 64 * half + (i & 63)]! >> (4 * (quarter >> 1))) & 15
    const high = (source[at + 128 + 32 * half + (i & 31)]! >> (2 * quarter)) & 3
    const factor = (source[at + 192 + (i >> 4)]! << 24) >> 24
    target[out + i] = scale * factor * ((low | (high << 4)) - 32)
  }
})
