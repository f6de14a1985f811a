import { nn } from '@enigma/nn'
import type { ModelConfig } from '../config.js'

/**
 * How rotary angles are stretched so that a model trained on `originalContext` tokens reads longer texts. Kinds and parameters are
 * those of transformers (`modeling_rope_utils.py`).
 */
export type RopeScaling =
  /** Every angle divided by `factor` (position interpolation, Chen et al. 2023). */
  | { readonly type: 'linear'; readonly factor: number }
  /** Slow pairs divided by `factor`, fast ones kept, a ramp between (Llama 3.1). */
  | {
      readonly type: 'llama3'
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalContext: number
    }
  /** A ramp over the pairs from kept to divided by `factor`; scores are scaled by `attentionFactor`² (YaRN, Peng et al. 2023). */
  | {
      readonly type: 'yarn'
      readonly factor: number
      readonly originalContext: number
      /** Pairs that turn more often than this over the original context are kept. */
      readonly betaFast: number
      /** Pairs that turn less often than this are divided. */
      readonly betaSlow: number
      readonly attentionFactor: number
      /** Whether the ramp starts and ends at whole pairs. */
      readonly truncate: boolean
    }

/** The angle each pair of a head turns from one position to the next, and the factor on cosines and sines. */
export interface RopeAngles {
  readonly frequencies: Float64Array
  readonly scale: number
}

/** The rotary positions of a model, scaling included. */
export function ropeAngles({
  headDim,
  ropeTheta,
  ropeScaling,
}: Pick<ModelConfig, 'headDim' | 'ropeTheta' | 'ropeScaling'>): RopeAngles {
  const frequencies = nn.rotaryFrequencies(headDim, ropeTheta)
  if (!ropeScaling) return { frequencies, scale: 1 }
  switch (ropeScaling.type) {
    case 'linear':
      return { frequencies: frequencies.map((frequency) => frequency / ropeScaling.factor), scale: 1 }
    case 'llama3':
      return { frequencies: frequencies.map((frequency) => frequency / llama3Factor(frequency, ropeScaling)), scale: 1 }
    case 'yarn':
      return { frequencies: yarn(frequencies, ropeTheta, ropeScaling), scale: ropeScaling.attentionFactor }
  }
}

/** What Llama 3.1 divides a pair's angle by: 1 for wavelengths well within the original context, `factor` for those beyond it. */
export function llama3Factor(frequency: number, scaling: Extract<RopeScaling, { type: 'llama3' }>): number {
  const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling
  const turns = (originalContext * frequency) / (2 * Math.PI)
  if (turns > highFreqFactor) return 1
  if (turns < lowFreqFactor) return factor
  const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
  return 1 / ((1 - smooth) / factor + smooth)
}

function yarn(frequencies: Float64Array, theta: number, scaling: Extract<RopeScaling, { type: 'yarn' }>): Float64Array {
  const { factor, originalContext, betaFast, betaSlow, truncate } = scaling
  const dim = 2 * frequencies.length
  /** The pair that turns so often over the original context. */
  const pairOf = (turns: number) => (dim * Math.log(originalContext / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)]
  const low = Math.max(truncate ? Math.floor(first) : first, 0)
  const end = Math.min(truncate ? Math.ceil(last) : last, dim - 1)
  const high = end === low ? low + 0.001 : end
  return frequencies.map((frequency, pair) => {
    const divided = Math.min(1, Math.max(0, (pair - low) / (high - low)))
    return (frequency / factor) * divided + frequency * (1 - divided)
  })
}

/** YaRN's factor on cosines and sines where the configuration gives none: 0.1·ln(factor) + 1. */
export function yarnAttentionFactor(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1
}

/** What is wrong with the numbers of a scaling, or null. */
export function invalidScaling(scaling: RopeScaling): string | null {
  const { type, ...numbers } = scaling
  for (const [name, value] of Object.entries(numbers))
    if (typeof value === 'number' && !(value > 0 && Number.isFinite(value))) return `${name} must be positive, got ${value}`
  if (type === 'llama3' && !(scaling.highFreqFactor > scaling.lowFreqFactor))
    return `highFreqFactor (${scaling.highFreqFactor}) must exceed lowFreqFactor (${scaling.lowFreqFactor})`
  return null
}
