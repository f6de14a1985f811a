import { appendFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { optim, type TrainingStep } from '@enigma/nn'
import { loadCheckpoint, lockFolder, saveCheckpoint, saveModel } from '../checkpoint/index.js'
import { createConfig, type ModelConfig } from '../config.js'
import { type BatchCursor, findDataFiles, prepareTokens, type TokenDataset } from '../data/index.js'
import { LmError } from '../errors.js'
import { LossProgram } from '../evaluation/loss-program.js'
import { measureLoss } from '../evaluation/measure-loss.js'
import { type FloatTensor, readTensors } from '../formats/index.js'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import { parameterCount } from '../memory.js'
import { languageModelingStep } from '../model/language-modeling-step.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { preset } from '../presets.js'
import { Tokenizer } from '../tokenizer/index.js'
import { readSettings, runFiles, startRunFolder, writeSettings } from './run-folder.js'
import { Throughput } from './throughput.js'
import type { TrainEvent, TrainResult } from './train-events.js'
import { checkTrainOptions, type TrainOptions } from './train-options.js'
import { defaultShare, modelConfig, resolveSettings, type TrainSettings } from './train-settings.js'
import { trainTokenizer } from './train-tokenizer.js'

/** What a checkpoint keeps besides weights and optimizer state. */
interface RunState {
  readonly counters: { readonly updates: number; readonly runs: number }
  readonly cursor: BatchCursor
  readonly bitsPerByte: number | null
}

type Emit = (event: TrainEvent) => void

const samplePrompt = 'Once upon a time'

/**
 * Trains a language model from text files to a model folder: tokenizer, token shards, training with checkpoints, final weights.
 * A run that was stopped or killed at any instant continues with `resume` and ends with the same bytes.
 *
 * @throws LmError UNKNOWN_PRESET, INVALID_OPTION, FILE_NOT_FOUND, DATA_EMPTY, MODEL_EXISTS, FOLDER_LOCKED, DISK_FULL …
 */
export async function train(options: TrainOptions, onEvent: Emit = () => {}): Promise<TrainResult> {
  checkTrainOptions(options)
  const out = resolve(options.out)
  const resume = options.resume === true
  const known = resume ? await readSettings(out) : undefined
  // Everything that can be refused is refused before anything is written.
  preset(known?.size ?? options.size ?? 'tiny')
  if (!resume) await findDataFiles(options.data)
  if (!resume) await startRunFolder(out, options.force === true)
  await using _lock = await lockFolder(out, 'training')

  const run = new TrainingRun(out, options, onEvent)
  return run.execute(known)
}

class TrainingRun {
  readonly #out: string
  readonly #options: TrainOptions
  readonly #emit: Emit
  readonly #throughput = new Throughput()

  constructor(out: string, options: TrainOptions, emit: Emit) {
    this.#out = out
    this.#options = options
    this.#emit = emit
  }

  async execute(known: TrainSettings | undefined): Promise<TrainResult> {
    const data = known?.data ?? this.#options.data.map((path) => resolve(path))
    const from = known ? known.from : (this.#options.from ?? null)
    const origin = from === null ? undefined : await LanguageModel.load(from)
    const tokenizer = origin?.tokenizer ?? (await this.#tokenizer(data, known))
    this.#emit({ type: 'phase', phase: 'tokens', message: `Encoding ${data.join(', ')}` })
    const valid = known ? known.valid : (this.#options.valid ?? (await defaultShare(data)))
    const { signal } = this.#options
    const prepared = await prepareTokens({
      files: data,
      tokenizer,
      folder: runFiles.tokens(this.#out),
      ...(valid !== null && { validation: Number.isNaN(Number(valid)) ? valid : Number(valid) }),
      ...(signal && { signal }),
    })
    for (const message of prepared.warnings) this.#emit({ type: 'warning', message })
    using dataset = prepared.dataset

    const settings = resolveSettings(this.#options, known, { data, valid, tokens: dataset.train.tokens, origin })
    await writeSettings(this.#out, settings)
    const { sequence: context, dropout } = settings
    const config = origin ? createConfig({ ...origin.config, context, dropout }) : modelConfig(settings, tokenizer)
    const model = new LlamaForCausalLM(config, { seed: settings.seed })
    if (origin) model.loadStateDict(origin.weights)
    this.#emit({
      type: 'phase',
      phase: 'compile',
      message: `Compiling the training step of ${parameterCount(config)} parameters`,
    })
    const { batch, sequence, accumulate, learningRate, weightDecay, clipNorm, seed, threads } = settings
    const spin = this.#options.spin ?? true
    const step = await languageModelingStep(model, {
      optimizer: optim.adamw({ lr: learningRate, betas: [0.9, 0.95], weightDecay }),
      batch,
      length: sequence,
      accumulate,
      clipNorm,
      seed,
      threads,
      spin,
    })
    const validation =
      (dataset.validation?.tokens ?? 0) > sequence
        ? await LossProgram.compile(model, { batch, length: sequence, threads, spin })
        : undefined
    try {
      return await this.#loop({ settings, config, tokenizer, dataset, model, step, validation, resumed: known !== undefined })
    } finally {
      validation?.close()
      await step.close()
    }
  }

  async #tokenizer(data: readonly string[], known: TrainSettings | undefined): Promise<Tokenizer> {
    const path = runFiles.tokenizer(this.#out)
    if (known && (await stat(path).catch(() => undefined))) return Tokenizer.load(path)
    const { tokenizer: given, vocabSize: asked, signal } = this.#options
    const saved = async (tokenizer: Tokenizer) => {
      await tokenizer.save(path)
      return tokenizer
    }
    if (given) return saved(await Tokenizer.load(given))
    this.#emit({ type: 'phase', phase: 'tokenizer', message: 'Training a tokenizer' })
    const { tokenizer, warnings } = await trainTokenizer({ data, vocabSize: known?.vocabSize ?? asked, signal })
    for (const message of warnings) this.#emit({ type: 'warning', message })
    return saved(tokenizer)
  }

  async #loop(parts: RunParts): Promise<TrainResult> {
    const { settings, config, tokenizer, dataset, model, step, validation } = parts
    const { steps, batch, sequence, accumulate } = settings
    const restored = parts.resumed ? await restore(this.#out, model, step) : undefined
    const batches = dataset.batches({
      batchSize: batch,
      sequenceLength: sequence,
      seed: settings.seed,
      ...(restored && { cursor: restored.cursor }),
    })
    const tokensPerStep = batch * sequence * accumulate
    const schedule = optim.schedules[settings.schedule](settings)
    const every = this.#rhythm(steps)
    let bitsPerByte = restored?.bitsPerByte ?? null
    let loss = Number.NaN
    let pending: number[] = []
    const begun = step.updates
    this.#emit({
      type: 'start',
      parameters: parameterCount(config),
      steps,
      step: begun,
      tokens: dataset.train.tokens,
      resumed: begun > 0,
    })
    const checkpoint = async () => {
      const state: RunState = { counters: step.counters, cursor: batches.cursor, bitsPerByte }
      const content = {
        step: step.updates,
        tensors: tensorsOf(model),
        optimizer: step.optimizerState() as Record<string, FloatTensor>,
        state,
      }
      const folder = await saveCheckpoint(this.#out, content)
      this.#emit({ type: 'checkpoint', step: step.updates, folder })
    }
    const fill = () => batches.nextInto(step.inputs.tokens.data as BigInt64Array, step.inputs.targets.data as BigInt64Array)

    while (step.updates < steps) {
      if (this.#options.signal?.aborted) {
        if (step.updates > begun) await checkpoint()
        return { ...this.#result(settings, step.updates, loss, bitsPerByte), stopped: true }
      }
      const learningRate = schedule(step.updates)
      const result = await step.step(fill, learningRate)
      if (!Number.isFinite(result.loss))
        throw new LmError(
          'TRAINING_DIVERGED',
          `The loss became ${result.loss} at step ${step.updates}. Lower the learning rate (now ${learningRate}) and --resume from the last checkpoint, or start again.`,
        )
      pending.push(result.loss)
      this.#throughput.add(tokensPerStep)
      const at = step.updates
      const last = at === steps
      if (at % every.report === 0 || last) {
        loss = pending.reduce((sum, value) => sum + value, 0) / pending.length
        pending = []
        const report = {
          step: at,
          loss,
          bitsPerByte: (loss / Math.LN2) * (dataset.train.tokens / dataset.train.bytes),
          learningRate,
          tokensPerSecond: this.#throughput.take(),
          gradNorm: result.gradNorm,
          tokens: at * tokensPerStep,
          etaSeconds: this.#throughput.eta((steps - at) * tokensPerStep),
        }
        this.#emit({ type: 'report', ...report })
        await appendFile(runFiles.metrics(this.#out), `${JSON.stringify(report)}\n`)
      }
      if (validation && (at % every.validate === 0 || last)) {
        const measured = await this.#throughput.pausedDuring(() =>
          measureLoss(validation, dataset.windows({ batchSize: batch, sequenceLength: sequence })),
        )
        bitsPerByte = measured.bitsPerByte
        this.#emit({ type: 'validation', step: at, loss: measured.loss, bitsPerByte })
        await appendFile(runFiles.metrics(this.#out), `${JSON.stringify({ step: at, validation: measured })}\n`)
      }
      if (every.sample > 0 && (at % every.sample === 0 || last)) {
        const text = await this.#throughput.pausedDuring(() => sample(model, tokenizer, at, settings.threads))
        this.#emit({ type: 'sample', step: at, text })
      }
      if (at % every.checkpoint === 0 || last) await this.#throughput.pausedDuring(checkpoint)
    }

    await saveModel(this.#out, {
      config,
      tensors: tensorsOf(model),
      tokenizerJson: JSON.stringify(tokenizer.toJson()),
      dtype: settings.dtype,
      ...(this.#options.card !== undefined && { card: this.#options.card }),
    })
    return { ...this.#result(settings, step.updates, loss, bitsPerByte), stopped: false }
  }

  #rhythm(steps: number) {
    const { reportEvery = 10, validateEvery = Math.max(1, Math.ceil(steps / 10)), checkpointEvery = 250 } = this.#options
    return {
      report: reportEvery,
      validate: validateEvery,
      sample: this.#options.sampleEvery ?? validateEvery,
      checkpoint: checkpointEvery,
    }
  }

  #result({ steps, batch, sequence, accumulate }: TrainSettings, step: number, loss: number, bitsPerByte: number | null) {
    return {
      folder: this.#out,
      step,
      steps,
      loss,
      bitsPerByte,
      seconds: this.#throughput.seconds,
      tokens: step * batch * sequence * accumulate,
    }
  }
}

interface RunParts {
  readonly settings: TrainSettings
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
  readonly dataset: TokenDataset
  readonly model: LlamaForCausalLM
  readonly step: TrainingStep<'tokens' | 'targets'>
  readonly validation: LossProgram | undefined
  readonly resumed: boolean
}

const tensorsOf = (model: LlamaForCausalLM) => Object.fromEntries(model.namedParameters()) as Record<string, FloatTensor>

/** Puts weights, optimizer and counters back as the last checkpoint has them; undefined when there is none yet. */
async function restore(
  out: string,
  model: LlamaForCausalLM,
  step: TrainingStep<'tokens' | 'targets'>,
): Promise<RunState | undefined> {
  const checkpoint = await loadCheckpoint(out).catch((error: unknown) => {
    if (error instanceof LmError && error.code === 'NO_CHECKPOINT') return undefined
    throw error
  })
  if (!checkpoint) return undefined
  await using open = checkpoint
  const state = open.state as RunState
  for (const [name, parameter] of model.namedParameters()) await open.tensors.read(name, parameter.data)
  if (!open.optimizer)
    throw new LmError('CHECKPOINT_CORRUPT', `${open.folder} has no optimizer state. Start the run again with --force.`)
  step.restore(await readTensors(open.optimizer), state.counters)
  return state
}

/** A short story by the model as it stands. */
async function sample(model: LlamaForCausalLM, tokenizer: Tokenizer, seed: number, threads: number): Promise<string> {
  const generator = await TextGenerator.create(LanguageModel.inMemory('sample', model.config, model.stateDict(), tokenizer), {
    threads,
  })
  try {
    const maxTokens = Math.min(80, model.config.context - tokenizer.encode(samplePrompt).length - 1)
    const { text } = await generator.complete(samplePrompt, { maxTokens, seed })
    return samplePrompt + text
  } finally {
    generator.close()
  }
}
