import type { Tensor } from '@enigma/tensor'
import { optionsOf } from '../options.js'
import { expectAlike, type ReductionOptions, reduced } from './reduction.js'

export interface SmoothL1Options extends ReductionOptions {
  /** Differences below this are squared. Default 1; 0 is `l1`. */
  readonly beta?: number
}

export interface HuberOptions extends ReductionOptions {
  /** Differences below this are squared. Default 1. */
  readonly delta?: number
}

export interface PoissonNllOptions extends ReductionOptions {
  /** Whether the output is the logarithm of the rate. Default true. */
  readonly logInput?: boolean
  /** Add Stirling's approximation of log target!. Default false. */
  readonly full?: boolean
  /** Added to a rate before its logarithm is taken. Default 1e-8. */
  readonly eps?: number
}

/** Squared differences. @throws NnError SHAPE_MISMATCH */
export function mse(output: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const { reduction } = optionsOf('losses.mse', options, "reduction: 'sum'")
  const difference = differenceOf('mse', output, target)
  return reduced(difference.mul(difference), reduction)
}

/** Absolute differences. @throws NnError SHAPE_MISMATCH */
export function l1(output: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor {
  const { reduction } = optionsOf('losses.l1', options, "reduction: 'sum'")
  return reduced(differenceOf('l1', output, target).abs(), reduction)
}

/** d²/2β where |d| < β, else |d| − β/2, for differences d. @throws NnError SHAPE_MISMATCH */
export function smoothL1(output: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  const { beta = 1, reduction } = optionsOf('losses.smoothL1', options, 'beta: 2')
  const distance = differenceOf('smoothL1', output, target).abs()
  if (beta === 0) return reduced(distance, reduction)
  const squared = distance.mul(distance).mul(0.5 / beta)
  return reduced(distance.less(beta).where(squared, distance.sub(0.5 * beta)), reduction)
}

/** d²/2 where |d| < δ, else δ(|d| − δ/2), for differences d (Huber 1964). @throws NnError SHAPE_MISMATCH */
export function huber(output: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  const { delta = 1, reduction } = optionsOf('losses.huber', options, 'delta: 2')
  const distance = differenceOf('huber', output, target).abs()
  const squared = distance.mul(distance).mul(0.5)
  return reduced(distance.less(delta).where(squared, distance.sub(0.5 * delta).mul(delta)), reduction)
}

/** Negative log-likelihood of counts under a Poisson distribution of the output's rate. @throws NnError SHAPE_MISMATCH */
export function poissonNll(output: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
  const { logInput = true, full = false, eps = 1e-8, reduction } = optionsOf('losses.poissonNll', options, "reduction: 'sum'")
  expectAlike('poissonNll', output, target)
  const loss = logInput ? output.exp().sub(target.mul(output)) : output.sub(target.mul(output.add(eps).log()))
  if (!full) return reduced(loss, reduction)
  const several = target.maximum(1)
  const stirling = several
    .mul(several.log())
    .sub(several)
    .add(
      several
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    )
  return reduced(loss.add(target.greater(1).where(stirling, 0)), reduction)
}

function differenceOf(loss: string, output: Tensor, target: Tensor): Tensor {
  expectAlike(loss, output, target)
  return output.sub(target)
}
