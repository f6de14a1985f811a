import { readFileSync } from 'node:fs'
import type { optim } from '../index.js'

/** What `golden/optimizers.py` wrote. */
export interface GoldenOptimizers {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly weights: Readonly<Record<string, readonly number[]>>
  readonly batches: readonly { readonly x: readonly number[]; readonly y: readonly number[] }[]
  readonly cases: readonly {
    readonly name: string
    readonly optimizer: 'sgd' | 'adam' | 'adamw' | 'lion' | 'adafactor' | 'rmsprop' | 'adagrad' | 'muon'
    readonly options: object
    readonly clip: { readonly clipNorm?: number; readonly clipValue?: number }
    /** After steps 5, 10, 15 and 20. */
    readonly weights: readonly Readonly<Record<string, readonly number[]>>[]
  }[]
  readonly schedules: readonly {
    readonly name: optim.ScheduleName
    readonly options: optim.ScheduleOptions
    readonly rates: readonly number[]
  }[]
  readonly plateaus: readonly {
    readonly options: Omit<optim.ReduceLROnPlateauOptions, 'learningRate'>
    readonly metrics: readonly number[]
    readonly rates: readonly number[]
  }[]
  readonly ema: {
    readonly decay: number
    readonly weight: readonly number[]
    readonly bias: readonly number[]
    readonly averages: readonly { readonly weight: readonly number[]; readonly bias: readonly number[] }[]
  }
}

export const golden: GoldenOptimizers = JSON.parse(readFileSync(new URL('../../golden/optimizers.json', import.meta.url), 'utf8'))

/** ‖a − b‖ / ‖b‖ */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2
    norm += expected[i]! ** 2
  }
  return Math.sqrt(difference) / Math.max(1e-30, Math.sqrt(norm))
}
