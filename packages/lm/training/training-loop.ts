import { NnError, optim, type TrainingStep } from '@enigma/nn'
import { type FloatTensor, readTensors } from '@enigma/tensor/formats'
import type { ChatTemplate } from '../chat/chat-template.js'
import { DamagedCheckpointError, loadCheckpoint, saveCheckpoint } from '../checkpoint/index.js'
import type { BatchCursor, TokenDataset } from '../data/index.js'
import { LmError } from '../errors.js'
import type { LossProgram } from '../evaluation/loss-program.js'
import { measureLoss } from '../evaluation/measure-loss.js'
import { parameterCount } from '../memory.js'
import type { LlamaForCausalLM } from '../model/llama.js'
import type { Tokenizer } from '../tokenizer/index.js'
import { type Best, BestWeights, nextBest } from './best-weights.js'
import { MetricsLog } from './metrics-log.js'
import { runFiles, writeSettings } from './run-folder.js'
import { sample } from './sample.js'
import { Throughput } from './throughput.js'
import type { TrainEvent, TrainResult } from './train-events.js'
import type { TrainOptions } from './train-options.js'
import type { TrainSettings } from './train-settings.js'

/** What a checkpoint keeps besides weights and optimizer state. */
interface RunState {
  readonly counters: { readonly updates: number; readonly runs: number }
  readonly cursor: BatchCursor
  readonly loss: number | null
  readonly bitsPerByte: number | null
  readonly best?: Best | null
}

/** All that the loop works with. */
export interface TrainingRun {
  readonly out: string
  readonly options: TrainOptions
  readonly settings: TrainSettings
  readonly tokenizer: Tokenizer
  /** How conversations are written; null for a model of running text. */
  readonly template: ChatTemplate | null
  readonly dataset: TokenDataset
  readonly model: LlamaForCausalLM
  readonly step: TrainingStep<'tokens' | 'targets'>
  readonly validation: LossProgram | undefined
  /** Whether the run goes on from its last checkpoint, if it has one. */
  readonly resumed: boolean
  readonly emit: (event: TrainEvent) => void
}

/** The weights under training by name, live: those that a checkpoint keeps. */
const trainedTensors = (model: LlamaForCausalLM): Record<string, FloatTensor> =>
  Object.fromEntries([...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad))

/**
 * Steps, reports, validations, samples and checkpoints until the run is complete or its signal stops it.
 * @throws LmError TRAINING_DIVERGED, CHECKPOINT_CORRUPT …; TensorError DISK_FULL …
 */
export async function trainingLoop(run: TrainingRun): Promise<TrainResult> {
  const { out, options, settings, dataset, model, step, validation, emit } = run
  const { steps, batch, sequence, accumulate, patience } = settings
  const restored = run.resumed ? await restore(run) : undefined
  const batches = dataset.batches({
    batchSize: batch,
    sequenceLength: sequence,
    seed: settings.seed,
    ...(restored && { cursor: restored.cursor }),
  })
  // From here on there is a run to resume; what could not begin leaves none.
  await writeSettings(out, settings)
  const metrics = new MetricsLog(runFiles.metrics(out), (message) => emit({ type: 'warning', message }))
  const begun = step.updates
  await metrics.cutAfter(begun)
  const every = rhythm(options, steps)
  const tokensPerStep = batch * sequence * accumulate
  const schedule = optim.schedules[settings.schedule](settings)
  const throughput = new Throughput()
  let loss = restored?.loss ?? null
  let bitsPerByte = restored?.bitsPerByte ?? null
  let best = restored?.best ?? null
  const bestWeights = new BestWeights(runFiles.folder(out), best?.step)
  let pending: number[] = []
  let epoch = { number: batches.cursor.epoch, loss: 0, steps: 0 }

  const result = (stopped: boolean): TrainResult => ({
    folder: out,
    step: step.updates,
    steps,
    stopped,
    loss: pending.at(-1) ?? loss ?? Number.NaN,
    bitsPerByte,
    seconds: throughput.seconds,
    tokens: step.updates * tokensPerStep,
  })
  const checkpoint = async () => {
    const state: RunState = { counters: step.counters, cursor: batches.cursor, loss, bitsPerByte, best }
    const optimizer = step.optimizerState() as Record<string, FloatTensor>
    const folder = await saveCheckpoint(out, { step: step.updates, tensors: trainedTensors(model), optimizer, state })
    await bestWeights.prune(best?.step)
    emit({ type: 'checkpoint', step: step.updates, folder })
  }
  const report = async (learningRate: number, gradNorm: number) => {
    loss = pending.reduce((sum, value) => sum + value, 0) / pending.length
    pending = []
    const entry = {
      step: step.updates,
      loss,
      bitsPerByte: (loss / Math.LN2) * (dataset.train.learned / dataset.train.bytes),
      learningRate,
      tokensPerSecond: throughput.take(),
      gradNorm,
      tokens: step.updates * tokensPerStep,
      etaSeconds: throughput.eta((steps - step.updates) * tokensPerStep),
    }
    emit({ type: 'report', ...entry })
    await metrics.append(entry)
  }
  const validate = async (program: LossProgram) => {
    const windows = dataset.windows({ batchSize: batch, sequenceLength: sequence })
    const measured = await measureLoss(program, windows)
    bitsPerByte = measured.bitsPerByte
    emit({ type: 'validation', step: step.updates, loss: measured.loss, bitsPerByte })
    await metrics.append({ step: step.updates, validation: measured })
    if (patience === null) return
    best = nextBest(best, step.updates, measured.loss)
    if (best.waited === 0) await bestWeights.keep(best.step, trainedTensors(model))
  }
  const waitedLongEnough = () => patience !== null && best !== null && best.waited >= patience
  const write = async () => {
    const { threads } = settings
    const { spin = false, device = 'cpu' } = options
    const text = await sample(run, step.updates, { threads, spin, device }).catch((error: Error) => {
      emit({ type: 'warning', message: `No sample at step ${step.updates}: ${error.message}` })
    })
    if (text !== undefined) emit({ type: 'sample', step: step.updates, text })
  }

  const startEpoch = () => {
    epoch = { number: batches.cursor.epoch, loss: 0, steps: 0 }
    emit({ type: 'epoch-start', epoch: epoch.number, step: step.updates })
  }
  const endEpoch = () =>
    emit({ type: 'epoch-end', epoch: epoch.number, step: step.updates, loss: epoch.loss / Math.max(1, epoch.steps) })

  const parameters = parameterCount(model.config)
  emit({ type: 'start', parameters, steps, step: begun, tokens: dataset.train.tokens, resumed: begun > 0 })
  if (begun < steps && !waitedLongEnough()) startEpoch()
  while (step.updates < steps && !waitedLongEnough()) {
    if (options.signal?.aborted) {
      if (step.updates > begun) await checkpoint()
      return result(true)
    }
    const learningRate = schedule(step.updates)
    const fill = () => batches.nextInto(step.inputs.tokens.data as BigInt64Array, step.inputs.targets.data as BigInt64Array)
    const { loss: stepLoss, gradNorm } = await step.step(fill, learningRate).catch((error: unknown) => {
      throw diverged(error, step.updates, learningRate)
    })
    pending.push(stepLoss)
    epoch.loss += stepLoss
    epoch.steps++
    throughput.add(tokensPerStep)
    const ends = () => step.updates === steps || waitedLongEnough()
    const due = (interval: number) => interval > 0 && (step.updates % interval === 0 || ends())
    if (due(every.report) || step.updates === begun + 1) await report(learningRate, gradNorm)
    if (validation && due(every.validate)) await throughput.pausedDuring(() => validate(validation))
    if (due(every.sample)) await throughput.pausedDuring(write)
    if (due(every.checkpoint)) await throughput.pausedDuring(checkpoint)
    const over = batches.cursor.epoch !== epoch.number
    if (over || ends()) endEpoch()
    if (over && !ends()) startEpoch()
  }
  if (best && best.step !== step.updates) {
    emit({ type: 'best', step: step.updates, best: best.step, loss: best.loss })
    await bestWeights.restore(best.step, trainedTensors(model))
  }
  return result(false)
}

/** Steps between reports, validations, samples, checkpoints; 0 is never. */
function rhythm(options: TrainOptions, steps: number) {
  const { reportEvery = 10, validateEvery = Math.max(1, Math.ceil(steps / 10)), checkpointEvery = 250 } = options
  return {
    report: reportEvery,
    validate: validateEvery,
    sample: options.sampleEvery ?? validateEvery,
    checkpoint: checkpointEvery,
  }
}

function diverged(error: unknown, step: number, learningRate: number): unknown {
  if (!(error instanceof NnError && error.code === 'NOT_FINITE')) return error
  const message = `Training diverged at step ${step + 1}, at a learning rate of ${learningRate}: ${error.message} Go on from the last checkpoint with --resume and a lower --lr.`
  return new LmError('TRAINING_DIVERGED', message, { cause: error })
}

/** Puts weights, optimizer and counters back as the last checkpoint has them; undefined when there is none yet. */
async function restore({ out, options, model, step, emit }: TrainingRun): Promise<RunState | undefined> {
  const { fallback = false } = options
  const checkpoint = await loadCheckpoint(out, { fallback }).catch((error: unknown) => {
    if (error instanceof DamagedCheckpointError && error.previous)
      throw new LmError(error.code, `${error.message}: --resume --fallback.`, { cause: error })
    if (error instanceof LmError && error.code === 'NO_CHECKPOINT') return undefined
    throw error
  })
  if (!checkpoint) return undefined
  await using open = checkpoint
  for (const { message } of open.rejected) emit({ type: 'warning', message: `${message}. Going on from step ${open.step}.` })
  // Written by this file, and compared with its hash.
  const state = open.state as RunState
  for (const [name, { data }] of Object.entries(trainedTensors(model))) await open.tensors.read(name, data)
  if (!open.optimizer)
    throw new LmError('CHECKPOINT_CORRUPT', `${open.folder} has no optimizer state. Start the run again with --force.`)
  step.restore(await readTensors(open.optimizer), state.counters)
  return state
}
