/** A learning rate for each step (counted from 0). */
export type Schedule = (step: number) => number

export interface ScheduleOptions {
  /** Peak learning rate. */
  readonly learningRate: number
  /** Steps of the whole run; a schedule that ends there keeps its last rate. */
  readonly steps: number
  /** Steps of linear warm-up from 0, which come before what the schedule does by itself. Default 0. */
  readonly warmup?: number
  /** Learning rate at the end, as a share of the peak. Default 0.1. */
  readonly final?: number
}

export interface RestartOptions extends ScheduleOptions {
  /** Steps of the first half cosine. Default: a quarter of the run. */
  readonly period?: number
  /** Each half cosine is longer than the one before by this factor, a whole number. Default 1. */
  readonly periodFactor?: number
}

export interface StepOptions extends ScheduleOptions {
  /** Steps between two reductions. Default: a third of the run. */
  readonly stepSize?: number
  /** Factor of a reduction. Default 0.1. */
  readonly gamma?: number
}

export interface MultiStepOptions extends ScheduleOptions {
  /** Steps at which the rate is reduced, counted from the end of the warm-up. Default: half and three quarters of the run. */
  readonly milestones?: readonly number[]
  /** Factor of a reduction. Default 0.1. */
  readonly gamma?: number
}

export interface ExponentialOptions extends ScheduleOptions {
  /** Factor of each step. Default: what makes the rate end at `final`. */
  readonly gamma?: number
}

export interface PolynomialOptions extends ScheduleOptions {
  /** Default 1: linear. */
  readonly power?: number
}

export interface OneCycleOptions extends Omit<ScheduleOptions, 'final'> {
  /** Share of the run in which the rate rises. Default 0.3. */
  readonly pctStart?: number
  /** Default `cos`. */
  readonly annealStrategy?: 'cos' | 'linear'
  /** The rate begins at the peak divided by this. Default 25. */
  readonly divFactor?: number
  /** It ends at the beginning's divided by this. Default 1e4. */
  readonly finalDivFactor?: number
}

/** Half a cosine from 1 at 0 to 0 at 1. */
const halfCosine = (progress: number) => 0.5 * (1 + Math.cos(Math.PI * progress))

/** Runs `after` once the warm-up is over, on the steps since; `total` is how many there are of those. */
function warmed(
  { learningRate, steps, warmup = 0 }: Omit<ScheduleOptions, 'final'>,
  after: (total: number) => (step: number) => number,
): Schedule {
  const share = after(Math.max(1, steps - warmup))
  return (step) => learningRate * (step < warmup ? (step + 1) / warmup : share(step - warmup))
}

/** From 1 to `final`, in the way of `fall` from 1 at 0 to 0 at 1. */
const falling = (options: ScheduleOptions, fall: (progress: number) => number): Schedule =>
  warmed(options, (total) => (step) => {
    const { final = 0.1 } = options
    return final + (1 - final) * fall(Math.min(1, step / total))
  })

/** Learning rates as functions of the step; all warm up on demand. Those that PyTorch has give its values. */
export const schedules = {
  constant: (options: ScheduleOptions): Schedule => warmed(options, () => () => 1),
  linear: (options: ScheduleOptions): Schedule => falling(options, (progress) => 1 - progress),
  /** Half a cosine from the peak to `final` (Loshchilov and Hutter 2017). */
  cosine: (options: ScheduleOptions): Schedule => falling(options, halfCosine),
  /** Half cosines from the peak to `final`, one after another (SGDR, Loshchilov and Hutter 2017). */
  cosineWarmRestarts: ({ period, periodFactor = 1, ...options }: RestartOptions): Schedule =>
    warmed(options, (total) => {
      const { final = 0.1 } = options
      const first = period ?? Math.max(1, Math.ceil(total / 4))
      return (step) => {
        let [since, length] = [step, first]
        if (periodFactor === 1) since %= first
        else for (; since >= length; length *= periodFactor) since -= length
        return final + (1 - final) * halfCosine(since / length)
      }
    }),
  /** Warm-up, a plateau, then a linear decay over the last fifth (Hu et al. 2024). */
  wsd: (options: ScheduleOptions): Schedule => {
    const { steps, warmup = 0, final = 0.1 } = options
    const decayFrom = Math.floor(steps * 0.8) - warmup
    return warmed(options, (total) => (step) => {
      const progress = Math.min(1, (step - decayFrom) / Math.max(1, total - decayFrom))
      return 1 - (1 - final) * Math.max(0, progress)
    })
  },
  /** Reduced every `stepSize` steps. */
  step: ({ stepSize, gamma = 0.1, ...options }: StepOptions): Schedule =>
    warmed(options, (total) => (step) => gamma ** Math.floor(step / (stepSize ?? Math.max(1, Math.ceil(total / 3))))),
  /** Reduced at milestones. */
  multiStep: ({ milestones, gamma = 0.1, ...options }: MultiStepOptions): Schedule =>
    warmed(options, (total) => {
      const at = milestones ?? [Math.floor(total * 0.5), Math.floor(total * 0.75)]
      return (step) => gamma ** at.filter((milestone) => step >= milestone).length
    }),
  exponential: ({ gamma, ...options }: ExponentialOptions): Schedule =>
    warmed(options, (total) => {
      const factor = gamma ?? (options.final ?? 0.1) ** (1 / total)
      return (step) => factor ** (gamma === undefined ? Math.min(step, total) : step)
    }),
  polynomial: ({ power = 1, ...options }: PolynomialOptions): Schedule => falling(options, (progress) => (1 - progress) ** power),
  /** Up to the peak and far down again (Smith and Topin 2018). */
  oneCycle: ({
    pctStart = 0.3,
    annealStrategy = 'cos',
    divFactor = 25,
    finalDivFactor = 1e4,
    ...options
  }: OneCycleOptions): Schedule =>
    warmed(options, (total) => {
      const anneal = (from: number, to: number, progress: number) =>
        to + (from - to) * (annealStrategy === 'cos' ? halfCosine(progress) : 1 - progress)
      const [start, end] = [1 / divFactor, 1 / divFactor / finalDivFactor]
      const [top, last] = [pctStart * total - 1, total - 1]
      const fall = Math.max(last - top, Number.MIN_VALUE)
      return (step) => (step < top ? anneal(start, 1, step / top) : anneal(1, end, Math.min(1, (step - top) / fall)))
    }),
} as const

export type ScheduleName = keyof typeof schedules
