import type { TypedArray } from '@enigma/tensor'
import { type Batch, type CompileStepOptions, compileStep } from '../compile-step.js'
import type { DataLoader } from '../data/index.js'
import { NnError } from '../errors.js'
import type { Layer } from '../layer.js'
import type { Optimizer, Schedule } from '../optim/index.js'
import { type EpochRecord, type History, type TrainingCallback, tell } from './callbacks.js'
import { type EarlyStoppingOptions, earlyStopping, monitored } from './early-stopping.js'
import { EpochMeans } from './epoch-means.js'
import { Evaluator, sizeOfBatch } from './evaluate.js'

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
  /** Ends the run after the update in progress. */
  readonly signal?: AbortSignal
}

type Weights = ReadonlyMap<{ readonly data: TypedArray }, TypedArray>

/**
 * Trains a network on batches of a data loader, epoch after epoch.
 *
 * Bit-exact: the same network, data, options and threads give the same weights.
 * @throws NnError NOT_FINITE when loss or gradient stop being numbers, naming epoch and step; INVALID_ARGUMENT
 */
export async function fit(net: Layer, options: FitOptions): Promise<History> {
  const { train, valid, epochs = 1, accumulate = 1, callbacks = [], signal } = options
  const stepsPerEpoch = Math.floor(train.length / accumulate)
  if (stepsPerEpoch === 0)
    throw new NnError('INVALID_ARGUMENT', `The training data give ${train.length} batches; an update takes ${accumulate}.`)
  if (options.earlyStopping && !valid && (options.earlyStopping.monitor ?? 'valid.').startsWith('valid.'))
    throw new NnError(
      'INVALID_ARGUMENT',
      "Early stopping watches 'valid.loss', but there is no `valid` data. Give some, or `monitor: 'loss'`.",
    )
  const steps = epochs * stepsPerEpoch
  const base = baseRate(options.optimizer)
  const schedule = options.schedule?.({ learningRate: base, steps })
  const step = compileStep(net, options)
  const evaluator = new Evaluator(net, options, options)
  const records: EpochRecord[] = []
  let best: Weights | undefined
  try {
    const start = { epoch: 0, index: 0, step: 0, means: new EpochMeans() }
    await tell(callbacks, 'onTrainStart', {
      parameters: net.parameterCount(),
      epochs,
      stepsPerEpoch,
      step: start.step,
      resumed: false,
    })
    let done = start.step
    let ended: History['ended'] = 'finished'
    const end = (why: History['ended']) => {
      if (ended === 'finished') ended = why
    }
    const clock = { from: performance.now(), steps: 0 }
    for (let epoch = start.epoch; epoch < epochs && ended === 'finished'; epoch++) {
      const means = epoch === start.epoch ? start.means : new EpochMeans()
      const began = performance.now()
      if (epoch !== start.epoch || start.index === 0) await tell(callbacks, 'onEpochStart', { epoch, epochs })
      let index = epoch === start.epoch ? start.index : 0
      let learningRate = base
      let group: Batch[] = []
      for await (const batch of train.epoch(epoch, index * accumulate)) {
        group.push(batch)
        if (group.length < accumulate) continue
        learningRate = schedule ? schedule(done) : base
        const result = await step.accumulated(group, learningRate).catch((cause) => {
          if (!(cause instanceof NnError && cause.code === 'NOT_FINITE')) throw cause
          const advice = 'A lower learning rate or clipNorm may help.'
          throw new NnError('NOT_FINITE', `Epoch ${epoch}, step ${done + 1}: ${cause.message} ${advice}`, { cause })
        })
        const examples = group.reduce((sum, part) => sum + sizeOfBatch(part), 0)
        means.add(examples, result.loss, result.metrics)
        done++
        clock.steps++
        index++
        const perStep = (performance.now() - clock.from) / 1000 / clock.steps
        await tell(callbacks, 'onStep', {
          epoch,
          epochs,
          step: done,
          steps,
          loss: result.loss,
          gradNorm: result.gradNorm,
          learningRate,
          metrics: result.metrics,
          examplesPerSecond: examples / perStep,
          etaSeconds: (steps - done) * perStep,
          stop: () => end('stopped'),
        })
        if (signal?.aborted) end('aborted')
        const last = index === stepsPerEpoch
        if (last || ended !== 'finished') break
        group = []
      }
      if (index < stepsPerEpoch) break
      const measured = valid && (await evaluator.evaluate(valid.epoch(0)))
      const record: EpochRecord = {
        epoch,
        step: done,
        ...means.means(),
        ...(measured && { valid: measured }),
        learningRate,
        seconds: (performance.now() - began) / 1000,
      }
      records.push(record)
      if (options.earlyStopping) {
        if (monitored(record, options.earlyStopping.monitor ?? 'valid.loss') === undefined)
          throw new NnError('INVALID_ARGUMENT', `Early stopping watches '${options.earlyStopping.monitor}', which no epoch has.`)
        const verdict = earlyStopping(records, options.earlyStopping)
        if (verdict.best === records.length - 1) best = copyOf(net)
        if (verdict.stop) end('early')
      }
      await tell(callbacks, 'onEpochEnd', { ...record, epochs, stop: () => end('stopped') })
      if (signal?.aborted) end('aborted')
    }
    const restored = options.earlyStopping && options.earlyStopping.restoreBest !== false && best !== undefined
    if (restored) for (const [tensor, data] of best!) (tensor.data as { set(values: TypedArray): void }).set(data)
    const chosen = restored ? earlyStopping(records, options.earlyStopping!).best : records.length - 1
    const history: History = { epochs: records, ended, epoch: records[chosen]?.epoch ?? -1 }
    await tell(callbacks, 'onTrainEnd', history)
    return history
  } finally {
    evaluator.release()
    await step.close()
  }
}

function baseRate(optimizer: FitOptions['optimizer']): number {
  const isGroups = (value: FitOptions['optimizer']): value is Exclude<FitOptions['optimizer'], Optimizer> => Array.isArray(value)
  return isGroups(optimizer) ? (optimizer[0]?.optimizer.lr ?? 0) : optimizer.lr
}

/** The numbers of parameters and buffers as they are now. */
function copyOf(net: Layer): Weights {
  return new Map(Object.values(net.stateDict()).map((tensor) => [tensor, tensor.data.slice()]))
}
