import type { Tensor } from '../tensor.js'

/**
 * A matrix [rows, columns] of small whole numbers: a weight is (code - 2^(bits - 1)) · scale of its block, blocks lie along the rows and the
 * last may be filled up.
 */
export interface QuantizedOperand {
  /** 4 or 8 */
  readonly bits: number
  /** Weights that share a scale: 16, 32, 64, 128 or 256. */
  readonly block: number
  /** u8 [rows, blocks, block·bits/8]; of 4-bit codes the lower half of a byte comes first. */
  readonly codes: Tensor
  /** f32 [rows, blocks] */
  readonly scales: Tensor
}

/**
 * x [..., columns] · Wᵀ → [..., rows]. The kernel rounds x to 8 bits as well, each block by itself, which costs accuracy (about 0.4 % of
 * the largest in each block) and makes it fast; `exact` computes with x as it is. It has no derivative.
 * @throws TensorError SHAPE_MISMATCH, DTYPE_MISMATCH
 */
export function matmulQuantized(x: Tensor, weight: QuantizedOperand, { exact = false }: { exact?: boolean } = {}): Tensor {
  const { bits, block, codes, scales } = weight
  return x.builder.apply('matmulQuantized', [x, codes, scales], { bits, block, exact })[0]!
}

/**
 * The rows at `indices` [...] → f32 [..., blocks · block]. It has no derivative.
 * @throws TensorError SHAPE_MISMATCH, DTYPE_MISMATCH
 */
export function gatherQuantized({ bits, block, codes, scales }: QuantizedOperand, indices: Tensor): Tensor {
  return codes.builder.apply('gatherQuantized', [codes, indices, scales], { bits, block })[0]!
}
