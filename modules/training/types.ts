import type { Training, TrainingJob, TrainingOptions } from '@enigma/contracts'
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

export interface TrainingJobStatus {
  readonly id: string
  readonly out: string
  readonly state: 'running' | 'stopping' | 'done' | 'stopped' | 'failed'
  /** Last step reported. */
  readonly step: number
  /** Steps in all; undefined until it is known. */
  readonly steps: number | undefined
  /** Last loss reported, nats per token. */
  readonly loss: number | undefined
  /** Of the training process; undefined when it has ended. */
  readonly pid: number | undefined
  /** ISO time. */
  readonly started: string
  /** Why it failed. */
  readonly message: string | undefined
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
  /** Jobs of this module's life, oldest first. */
  jobs(): readonly TrainingJobStatus[]
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
