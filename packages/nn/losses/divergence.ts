import type { Tensor } from '@enigma/tensor'
import { optionsOf } from '../options.js'
import { expectAlike, type Reduction, reduced } from './reduction.js'

export interface KlDivOptions {
  /** `batchmean` divides the sum by the first dimension, which is the divergence as mathematics has it. Default `mean`. */
  readonly reduction?: Reduction | 'batchmean'
  /** Whether the target, too, is given as logarithms. Default false. */
  readonly logTarget?: boolean
}

/**
 * Kullback–Leibler divergence in nats of the output, given as log-probabilities, from the target's probabilities, element by
 * element: target · (log target − output). @throws NnError SHAPE_MISMATCH
 */
export function klDiv(output: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const { reduction, logTarget = false } = optionsOf('losses.klDiv', options, 'logTarget: true')
  expectAlike('klDiv', output, target)
  const losses = logTarget ? target.exp().mul(target.sub(output)) : entropyOf(target).sub(target.mul(output))
  if (reduction !== 'batchmean') return reduced(losses, reduction)
  return losses.sum().div(output.rank === 0 ? 1 : (output.shape[0] as number))
}

/** p · log p, and 0 for p = 0. */
const entropyOf = (p: Tensor) => {
  const some = p.equal(0)
  return some.where(0, p.mul(some.where(1, p).log()))
}
