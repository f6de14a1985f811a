/** What can go wrong with a training job beyond what the trainer itself reports (an `LmError`). */
export type TrainingErrorCode = 'TRAINING_CRASHED' | 'UNKNOWN_SETTING' | 'UNKNOWN_JOB' | 'MODULE_UNLOADED'

/** The one error of this module; the message names the thing and the fix. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError'
  constructor(
    readonly code: TrainingErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
