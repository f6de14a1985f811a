import type { TrainEvent, TrainOptions, TrainResult } from '@enigma/lm'

/** What a training process is told. Losing the connection means `stop`. */
export type ToWorker =
  | { readonly type: 'train'; readonly options: Omit<TrainOptions, 'signal'> }
  /** Write a checkpoint and end. */
  | { readonly type: 'stop' }

/** An error on its way between processes. */
export interface SentError {
  readonly name: string
  readonly code: string | undefined
  readonly message: string
}

/** What a training process tells. */
export type FromWorker =
  | { readonly type: 'event'; readonly event: TrainEvent }
  | { readonly type: 'result'; readonly result: TrainResult }
  | { readonly type: 'error'; readonly error: SentError }
