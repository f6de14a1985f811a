import { optionsOf } from '../options.js'
import { checkSettings } from './settings.js'

export interface ReduceLROnPlateauOptions {
  /** The rate to begin with. */
  readonly learningRate: number
  /** Whether a smaller metric is better or a larger one. Default `min`. */
  readonly mode?: 'min' | 'max'
  /** Factor of a reduction. Default 0.1. */
  readonly factor?: number
  /** Metrics in a row that may be no better. Default 10. */
  readonly patience?: number
  /** How much better a metric must be to count as such. Default 1e-4. */
  readonly threshold?: number
  /** Whether the threshold is a share of the best metric or an amount. Default `rel`. */
  readonly thresholdMode?: 'rel' | 'abs'
  /** Metrics after a reduction that do not count as bad. Default 0. */
  readonly cooldown?: number
  /** Smallest rate. Default 0. */
  readonly minLr?: number
  /** Smallest reduction that is made. Default 1e-8. */
  readonly eps?: number
}

/** What a continued run needs. */
export interface PlateauState {
  readonly learningRate: number
  readonly best: number | null
  readonly bad: number
  readonly cooling: number
}

/** A learning rate that falls when a metric stops improving: `torch.optim.lr_scheduler.ReduceLROnPlateau`. */
export class ReduceLROnPlateau {
  readonly #options: Required<Omit<ReduceLROnPlateauOptions, 'learningRate'>>
  #learningRate: number
  #best: number | null = null
  #bad = 0
  #cooling = 0

  /** @throws NnError INVALID_ARGUMENT */
  constructor(given: ReduceLROnPlateauOptions) {
    const { learningRate, ...options } = optionsOf('ReduceLROnPlateau', given, 'learningRate: 1e-3')
    this.#learningRate = learningRate
    this.#options = {
      mode: 'min',
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: 'rel',
      cooldown: 0,
      minLr: 0,
      eps: 1e-8,
      ...options,
    }
    const { factor, patience, threshold, cooldown, minLr, eps } = this.#options
    checkSettings('ReduceLROnPlateau', {
      positive: { learningRate, patience, threshold, cooldown, minLr, eps },
      share: { factor },
    })
  }

  get learningRate(): number {
    return this.#learningRate
  }

  /** Takes the metric of one more validation and returns the learning rate from now on. */
  step(metric: number): number {
    const { factor, patience, cooldown, minLr, eps } = this.#options
    if (this.#isBetter(metric)) {
      this.#best = metric
      this.#bad = 0
    } else this.#bad++
    if (this.#cooling > 0) {
      this.#cooling--
      this.#bad = 0
    }
    if (this.#bad > patience) {
      const reduced = Math.max(this.#learningRate * factor, minLr)
      if (this.#learningRate - reduced > eps) this.#learningRate = reduced
      this.#cooling = cooldown
      this.#bad = 0
    }
    return this.#learningRate
  }

  stateDict(): PlateauState {
    return { learningRate: this.#learningRate, best: this.#best, bad: this.#bad, cooling: this.#cooling }
  }

  loadStateDict({ learningRate, best, bad, cooling }: PlateauState): void {
    this.#learningRate = learningRate
    this.#best = best
    this.#bad = bad
    this.#cooling = cooling
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options
    // Any number is better than none; a metric that is no number is never better.
    const best = this.#best ?? (mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)
    const sign = mode === 'min' ? -1 : 1
    const bar = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold
    return mode === 'min' ? metric < bar : metric > bar
  }
}
