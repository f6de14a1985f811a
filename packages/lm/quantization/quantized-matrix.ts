import { float16ToFloat32, float32ToFloat16 } from '@enigma/tensor/formats'
import { LmError } from '../errors.js'

/** How the numbers of a matrix are rounded. */
export interface BlockFormat {
  readonly bits: 4 | 8
  /** Neighbours of a row that share a scale. */
  readonly block: number
}

/**
 * A matrix [rows, columns] of small whole numbers: a weight is (code - 2^(bits - 1)) · scale of its block. Blocks lie along the rows, the
 * last is filled up with zeros.
 */
export interface QuantizedMatrix extends BlockFormat {
  readonly dtype: 'quantized'
  readonly shape: readonly [rows: number, columns: number]
  /** [rows, blocks, block · bits / 8]; of 4-bit codes the lower half of a byte comes first. */
  readonly codes: Uint8Array
  /** [rows, blocks]; each is a half-precision number, as which it is stored. */
  readonly scales: Float32Array
}

/** Blocks in a row. */
export const blocksOf = (columns: number, { block }: BlockFormat): number => Math.ceil(columns / block)

/** Bytes of the codes of a row. */
export const rowBytes = (columns: number, format: BlockFormat): number =>
  (blocksOf(columns, format) * format.block * format.bits) / 8

/**
 * Rounds a matrix. As in ggml's Q4_0 the number farthest from zero gets the lowest code, so that the range is used to its end; then the
 * scale is the one with the least squared error for these codes, Σ w·q / Σ q².
 * @param name how a message calls it
 * @throws LmError TENSOR_OVERFLOW when a scale exceeds half precision (65504)
 */
export function quantize(
  data: Float32Array,
  [rows, columns]: readonly [number, number],
  format: BlockFormat,
  name = 'The matrix',
): QuantizedMatrix {
  const { bits, block } = format
  const blocks = blocksOf(columns, format)
  const codes = new Uint8Array(rows * rowBytes(columns, format))
  const scales = new Float32Array(rows * blocks)
  const zero = 2 ** (bits - 1)
  const top = 2 * zero - 1
  const levels = new Uint8Array(block)
  for (let row = 0, at = 0, out = 0; row < rows; row++) {
    for (let from = row * columns; from < (row + 1) * columns; from += block, at++) {
      const length = Math.min(block, (row + 1) * columns - from)
      let extreme = 0
      let farthest = 0
      for (let i = from; i < from + length; i++) {
        const value = data[i]!
        const distance = Math.abs(value)
        if (distance > farthest) {
          farthest = distance
          extreme = value
        }
      }
      const inverse = extreme === 0 ? 0 : -zero / extreme
      let [products, squares] = [0, 0]
      for (let i = 0; i < length; i++) {
        const value = data[from + i]!
        // Never negative, so that cutting off rounds to nearest.
        let level = (value * inverse + zero + 0.5) | 0
        if (level > top) level = top
        levels[i] = level
        products += value * (level - zero)
        squares += (level - zero) * (level - zero)
      }
      levels.fill(zero, length)
      scales[at] = squares === 0 ? 0 : products / squares
      if (bits === 8) codes.set(levels, out)
      else for (let i = 0; i < block / 2; i++) codes[out + i] = levels[2 * i]! | (levels[2 * i + 1]! << 4)
      out += (block * bits) / 8
    }
  }
  const stored = halves(scales, name)
  float16ToFloat32(stored, scales)
  return { dtype: 'quantized', shape: [rows, columns], bits, block, codes, scales }
}

/** The scales as they are stored. @throws LmError TENSOR_OVERFLOW */
export function halves(scales: Float32Array, name: string): Uint16Array {
  const stored = new Uint16Array(scales.length)
  const overflows = float32ToFloat16(scales, stored)
  const broken = overflows > 0 || scales.some((scale) => !Number.isFinite(scale))
  if (broken)
    throw new LmError(
      'TENSOR_OVERFLOW',
      `${name} has numbers too large to be quantized, or no numbers. Leave the model as it is.`,
    )
  return stored
}

/** The numbers that a quantized matrix stands for, row by row. */
export function dequantize({ shape: [rows, columns], bits, block, codes, scales }: QuantizedMatrix): Float32Array {
  const data = new Float32Array(rows * columns)
  const blocks = Math.ceil(columns / block)
  const zero = 2 ** (bits - 1)
  for (let row = 0; row < rows; row++) {
    const [start, out] = [row * blocks * block, row * columns]
    for (let column = 0; column < columns; column++) {
      const at = start + column
      const code = bits === 8 ? codes[at]! : (codes[at >> 1]! >> (4 * (at & 1))) & 15
      data[out + column] = (code - zero) * scales[row * blocks + Math.floor(column / block)]!
    }
  }
  return data
}

/** Matrices of one width and format on top of each other. */
export function stackQuantized(matrices: readonly QuantizedMatrix[]): QuantizedMatrix {
  const [first] = matrices
  if (matrices.length === 1) return first!
  const codes = new Uint8Array(matrices.reduce((sum, matrix) => sum + matrix.codes.length, 0))
  const scales = new Float32Array(matrices.reduce((sum, matrix) => sum + matrix.scales.length, 0))
  let [code, scale, rows] = [0, 0, 0]
  for (const matrix of matrices) {
    codes.set(matrix.codes, code)
    scales.set(matrix.scales, scale)
    code += matrix.codes.length
    scale += matrix.scales.length
    rows += matrix.shape[0]
  }
  return { ...first!, shape: [rows, first!.shape[1]], codes, scales }
}
