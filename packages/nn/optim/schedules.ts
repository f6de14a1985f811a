/** A learning rate for each step (counted from 0). */
export type Schedule = (step: number) => number

export interface ScheduleOptions {
  /** Peak learning rate. */
  readonly learningRate: number
  /** Steps of the whole run. */
  readonly steps: number
  /** Steps of linear warm-up from 0. Default 0. */
  readonly warmup?: number
  /** Learning rate at the end, as a share of the peak. Default 0.1. */
  readonly final?: number
}

const warmed = (warmup: number, step: number) => (step < warmup ? (step + 1) / warmup : 1)

export const schedules = {
  constant: ({ learningRate, warmup = 0 }: ScheduleOptions): Schedule => {
    return (step) => learningRate * warmed(warmup, step)
  },
  /** Half a cosine from the peak to `final` (Loshchilov & Hutter 2017). */
  cosine: ({ learningRate, steps, warmup = 0, final = 0.1 }: ScheduleOptions): Schedule => {
    return (step) => {
      if (step < warmup) return learningRate * warmed(warmup, step)
      const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup))
      return learningRate * (final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * progress)))
    }
  },
  /** Warm-up, a plateau, then a linear decay over the last fifth (Hu et al. 2024). */
  wsd: ({ learningRate, steps, warmup = 0, final = 0.1 }: ScheduleOptions): Schedule => {
    const decayFrom = Math.floor(steps * 0.8)
    return (step) => {
      if (step < decayFrom) return learningRate * warmed(warmup, step)
      const progress = Math.min(1, (step - decayFrom) / Math.max(1, steps - decayFrom))
      return learningRate * (1 - (1 - final) * progress)
    }
  },
} as const

export type ScheduleName = keyof typeof schedules
