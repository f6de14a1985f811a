import type { SharedTensor } from './arena.js'

/**
 * Kernels that update a weight by its gradient, and which of their tensors each writes. The formulas and the scalars stand in
 * `assembly/`; after the count of elements, the kernels take the scalars in that order.
 */
export const updateKernels = {
  /** weight, gradient, m, v */
  adamw: [true, false, true, true],
  /** weight, gradient, m, v */
  adam: [true, false, true, true],
  /** weight, gradient, m, v, largest v */
  amsgrad: [true, false, true, true, true],
  /** weight, gradient */
  sgd: [true, false],
  /** weight, gradient, buffer */
  momentum: [true, false, true],
  /** weight, gradient, m */
  lion: [true, false, true],
} as const satisfies Readonly<Record<string, readonly boolean[]>>

export type UpdateKernel = keyof typeof updateKernels

/** Tensors of one size that one update reads and writes, and the numbers it does so with. */
export interface UpdateSegment {
  readonly tensors: readonly SharedTensor<'f32'>[]
  readonly scalars: readonly number[]
}
