import type { Training, TrainingJob, TrainingJobStatus, TrainingOptions } from '@enigma/contracts'

import type { LearningRateCurve, RatePoint, TrainEvent } from '@enigma/lm'
import type { TrainingCallback } from '@enigma/nn'

/** Config of the module `training`; checked against the schema in `module.yaml`. */
export interface TrainingModuleConfig {
  /** Priority of training processes, 0 (as everyone) to 19 (everyone else first). */
  readonly nice: number
  /** Native threads of a job; default all cores. */
  readonly threads?: number
  /** Where it is computed; default `cpu`. */
  readonly device?: 'cpu' | 'webgpu' | 'cuda'
  readonly learningRate?: number
  readonly batch?: number
  readonly accumulate?: number
  readonly epochs?: number
}

/** A job with everything that its trainer tells. */
export interface TrainingJobView extends TrainingJob {
  readonly status: TrainingJobStatus
  /** Everything from now on until the job ends: warnings, phases, reports, validations, samples, checkpoints. */
  events(): AsyncIterable<TrainEvent>
}

export interface RateListeners {
  readonly onRate?: (point: RatePoint) => void
  /** What is being prepared, warnings. */
  readonly onEvent?: (event: TrainEvent) => void
}

/** What `getInterface('training')` answers. */
export interface TrainingService extends Training {
  train(options: TrainingOptions): TrainingJobView
  /** @throws TrainingError `UNKNOWN_JOB` */
  job(id: string): TrainingJobView
  /**
   * Tries one update at each of a growing series of learning rates on what `options` would train, in this process; nothing is kept.
   * @throws as `train` and its jobs
   */
  findLearningRate(options: TrainingOptions, listeners?: RateListeners): Promise<LearningRateCurve>
  /** For `fit` of any network: tells the bus `EpochStart`, `EpochEnd` and, with loss, learning rate and metrics, `Telemetry`. */
  callbacks(): TrainingCallback
}

declare module '@enigma/kernel' {
  interface ModuleEvents {
    /** Everything a trainer tells, as it tells it. */
    'training.event': { id: string; event: TrainEvent }
  }
}
