import { token } from '@enigma/kernel'

export interface TrainingOptions {
  /** Text files or folders of them. */
  readonly data: readonly string[]
  /** Folder for the model and its checkpoints. */
  readonly out: string
  /** Preset, `tiny`. */
  readonly size?: string
  readonly steps?: number
  readonly epochs?: number
  /** Peak learning rate. */
  readonly learningRate?: number
  /** Sequences per step. */
  readonly batch?: number
  readonly vocabSize?: number
  readonly seed?: number
  /** Go on from the checkpoint in `out`. */
  readonly resume?: boolean
  /** A text file for validation, or the share of `data` to hold out (`'0.02'`). */
  readonly valid?: string
  /** Further settings of the trainer, by its own names. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
}

/** One line of progress. */
export interface TrainingReport {
  readonly step: number
  /** Mean cross-entropy per token, in nats. */
  readonly loss: number
  /** On the validation text. */
  readonly bitsPerByte?: number
  readonly learningRate: number
  readonly tokensPerSecond: number
  /** Steps in all, where it is known. */
  readonly steps?: number
  /** L2 norm of the gradient before clipping. */
  readonly gradientNorm?: number
  /** Text the model writes at this step. */
  readonly sample?: string
}

export interface TrainingResult {
  readonly steps: number
  readonly loss: number
  readonly bitsPerByte?: number
  /** Folder of the trained model. */
  readonly folder: string
  readonly finishReason: 'done' | 'stopped'
}

/** A training under way. Iterating gives its reports from now on, until it ends. */
export interface TrainingJob extends AsyncIterable<TrainingReport> {
  readonly id: string
  /** Rejects when the training fails. */
  readonly done: Promise<TrainingResult>
  /** Ends after the current step, with a checkpoint; resolves when that is written. */
  stop(): Promise<void>
}

/** How a job is. */
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

export interface Training {
  train(options: TrainingOptions): TrainingJob
  /** Jobs of the provider's life, oldest first. */
  jobs(): readonly TrainingJobStatus[]
  /** @throws an error with code `UNKNOWN_JOB` */
  job(id: string): TrainingJob
}

export const Training = token<Training>('model-training', '1.0')
