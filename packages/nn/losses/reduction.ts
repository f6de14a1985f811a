import type { Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'

/** The mean over all elements, their sum, or each by itself. */
export type Reduction = 'mean' | 'sum' | 'none'

export interface ReductionOptions {
  /** Default `mean`. */
  readonly reduction?: Reduction
}

const reductions: Readonly<Record<Reduction, (losses: Tensor) => Tensor>> = {
  mean: (losses) => losses.mean(),
  sum: (losses) => losses.sum(),
  none: (losses) => losses,
}

export const reduced = (losses: Tensor, reduction: Reduction = 'mean'): Tensor => reductions[reduction](losses)

/**
 * Two tensors that a loss compares element by element. PyTorch lets them broadcast, with a warning: [N, 1] against [N] is
 * N² comparisons that nobody meant. @throws NnError SHAPE_MISMATCH
 */
export function expectAlike(loss: string, output: Tensor, target: Tensor): void {
  if (output.shape.join() !== target.shape.join())
    throw new NnError(
      'SHAPE_MISMATCH',
      `losses.${loss}: the output is [${output.shape.join(', ')}], the target [${target.shape.join(', ')}]. Reshape one to the other's shape.`,
    )
}
