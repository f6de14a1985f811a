import { availableParallelism } from 'node:os'
import type { CompileStepOptions } from '../compile-step.js'
import { DataLoader } from '../data/index.js'
import { NnError } from '../errors.js'
import type { Layer } from '../layer.js'
import type { Schedule } from '../optim/index.js'
import type { History, TrainingCallback } from './callbacks.js'
import { type CheckpointOptions, Checkpoints } from './checkpoints.js'
import type { EarlyStoppingOptions } from './early-stopping.js'
import { TrainingRun } from './training-run.js'

export interface FitOptions extends CompileStepOptions {
  /** Batches `{ x, y }` to train on; see `CompileStepOptions.forward` for others. */
  readonly train: DataLoader
  /** Batches to measure on after every epoch. */
  readonly valid?: DataLoader
  /** Times through the training data. Default 1. */
  readonly epochs?: number
  /** Makes the learning rate of each update, such as `optim.schedules.cosine`. Default: the optimizer's rate throughout. */
  readonly schedule?: (run: { readonly learningRate: number; readonly steps: number }) => Schedule
  readonly callbacks?: readonly TrainingCallback[]
  /** End when an epoch brings no improvement any more. Default: train all epochs. */
  readonly earlyStopping?: EarlyStoppingOptions
  /** Keep checkpoints in a folder, and go on from the last one. */
  readonly checkpoint?: CheckpointOptions
  /** Ends the run after the update in progress; a checkpoint is left, if checkpoints are kept. */
  readonly signal?: AbortSignal
}

/**
 * Trains a network on batches of a data loader, epoch after epoch. With `accumulate`, the last batches of an epoch that do not
 * make up an update are left out.
 *
 * Bit-exact: the same network, data, options and threads give the same weights, also when the run was interrupted and went on
 * from a checkpoint, which keeps the number of threads.
 * @throws NnError NOT_FINITE when loss or gradient stop being numbers, naming epoch and step; INVALID_ARGUMENT;
 * CHECKPOINT_CORRUPT; STATE_MISMATCH when the checkpoint is of another network
 */
export async function fit(net: Layer, options: FitOptions): Promise<History> {
  const { train, valid, epochs = 1, accumulate = 1, earlyStopping } = options
  if (!(train instanceof DataLoader))
    throw new NnError('INVALID_ARGUMENT', 'train must be a DataLoader: new DataLoader(dataset, { batchSize: 32 }).')
  for (const [name, value] of Object.entries({ epochs, accumulate }))
    if (!Number.isInteger(value) || value < 1)
      throw new NnError('INVALID_ARGUMENT', `${name} must be a whole number of at least 1, got ${value}.`)
  if (Math.floor(train.length / accumulate) === 0)
    throw new NnError('INVALID_ARGUMENT', `The training data give ${train.length} batches; an update takes ${accumulate}.`)
  if (valid && !(valid instanceof DataLoader && valid.length > 0))
    throw new NnError(
      'INVALID_ARGUMENT',
      valid instanceof DataLoader
        ? `valid: the loader of ${valid.dataset.length} examples gives no batch to measure on. Give it examples, or a whole batch of them where dropLast is set.`
        : 'valid must be a DataLoader: new DataLoader(dataset, { batchSize: 32 }).',
    )
  if (earlyStopping && !valid && (earlyStopping.monitor ?? 'valid.').startsWith('valid.'))
    throw new NnError(
      'INVALID_ARGUMENT',
      "Early stopping watches 'valid.loss', but there is no `valid` data. Give some, or `monitor: 'loss'`.",
    )
  const checkpoints = options.checkpoint && new Checkpoints(options.checkpoint)
  const saved = await checkpoints?.latest()
  const threads = options.threads ?? saved?.state.threads ?? availableParallelism()
  const run = new TrainingRun(net, { ...options, threads }, checkpoints)
  try {
    return await run.train(saved)
  } finally {
    await run.close()
  }
}
