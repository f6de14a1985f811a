import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NnError } from '@enigma/nn'
import { LmError } from '../errors.js'
import { prepareRun } from './prepare-run.js'
import { startRunFolder } from './run-folder.js'
import type { TrainEvent } from './train-events.js'
import { checkTrainOptions, type TrainOptions } from './train-options.js'

/** What is trained, as for `train`; nothing is kept. */
export interface FindLearningRateOptions
  extends Omit<TrainOptions, 'out' | 'resume' | 'force' | 'steps' | 'epochs' | 'learningRate'> {
  /** Rates tried, one update each. Default 100. */
  readonly rates?: number
  /** Default 1e-6. */
  readonly lowest?: number
  /** Default 1. */
  readonly highest?: number
  readonly onRate?: (point: RatePoint) => void
}

export interface RatePoint {
  readonly learningRate: number
  /** Of the batch, in nats per token. */
  readonly loss: number
  /** The losses so far, averaged, later ones counting more. */
  readonly smoothed: number
}

export interface LearningRateCurve {
  readonly points: readonly RatePoint[]
  /** Null where the loss never fell. */
  readonly suggestion: number | null
}

/** Weight of the past in the average. */
const memory = 0.9
/** A loss so many times the lowest has diverged. */
const diverged = 4

/**
 * The learning-rate range test (Smith 2015): one update at each of a growing series of rates, until the loss diverges.
 * @throws LmError, TensorError as `train`; the signal's reason when aborted
 */
export async function findLearningRate(
  { rates = 100, lowest = 1e-6, highest = 1, onRate, ...options }: FindLearningRateOptions,
  onEvent: (event: TrainEvent) => void = () => {},
): Promise<LearningRateCurve> {
  if (!(Number.isSafeInteger(rates) && rates > 1))
    throw new LmError('INVALID_OPTION', `rates must be a whole number above 1, got ${rates}`)
  if (!(lowest > 0 && lowest < highest && highest <= 1))
    throw new LmError('INVALID_OPTION', `Rates must grow between 0 and 1, got ${lowest} to ${highest}`)
  const scratch = await mkdtemp(join(tmpdir(), 'enigma-rates-'))
  try {
    const asked: TrainOptions = { ...options, out: scratch, steps: rates }
    checkTrainOptions(asked)
    await startRunFolder(scratch, false)
    await using run = await prepareRun(scratch, asked, undefined, onEvent, { validates: false })
    const { step, settings, dataset } = run
    const batches = dataset.batches({ batchSize: settings.batch, sequenceLength: settings.sequence, seed: settings.seed })
    const fill = () => batches.nextInto(step.inputs.tokens.data as BigInt64Array, step.inputs.targets.data as BigInt64Array)
    const points: RatePoint[] = []
    let average = 0
    let least = Number.POSITIVE_INFINITY
    for (let index = 0; index < rates; index++) {
      options.signal?.throwIfAborted()
      const learningRate = lowest * (highest / lowest) ** (index / (rates - 1))
      const result = await step.step(fill, learningRate).catch((error: unknown) => {
        if (error instanceof NnError && error.code === 'NOT_FINITE') return undefined
        throw error
      })
      if (!result) break
      average = memory * average + (1 - memory) * result.loss
      const smoothed = average / (1 - memory ** (index + 1))
      least = Math.min(least, smoothed)
      if (smoothed > diverged * least) break
      const point = { learningRate, loss: result.loss, smoothed }
      points.push(point)
      onRate?.(point)
    }
    return { points, suggestion: suggestRate(points) }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The rate in the middle of the longest falling stretch of the curve (the rule `valley` of fastai); null where there is none. */
export function suggestRate(points: readonly Pick<RatePoint, 'learningRate' | 'smoothed'>[]): number | null {
  // Length of the longest falling subsequence that ends at each point.
  const lengths: number[] = []
  for (const [index, { smoothed }] of points.entries()) {
    const before = lengths.filter((_, earlier) => points[earlier]!.smoothed > smoothed)
    lengths[index] = 1 + Math.max(0, ...before)
  }
  const longest = Math.max(0, ...lengths)
  if (longest < 3) return null
  const end = lengths.indexOf(longest)
  const start = end - (longest - 1)
  return points[start + Math.floor((end - start) / 2)]!.learningRate
}
