import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { optim } from '@enigma/nn'
import { lockFolder, saveModel } from '../checkpoint/index.js'
import { createConfig } from '../config.js'
import { findDataFiles, prepareTokens } from '../data/index.js'
import { LmError } from '../errors.js'
import { LossProgram } from '../evaluation/loss-program.js'
import { LanguageModel } from '../language-model.js'
import { parameterCount } from '../memory.js'
import { languageModelingStep } from '../model/language-modeling-step.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { preset, presetConfig } from '../presets.js'
import { Tokenizer } from '../tokenizer/index.js'
import { checkMemory } from './check-memory.js'
import { readSettings, runFiles, startRunFolder, writeSettings } from './run-folder.js'
import type { TrainEvent, TrainResult } from './train-events.js'
import { checkTrainOptions, type TrainOptions } from './train-options.js'
import { checkResumed, defaultShare, isShare, modelConfig, resolveSettings, sizes, type TrainSettings } from './train-settings.js'
import { trainTokenizer } from './train-tokenizer.js'
import { tensorsOf, trainingLoop } from './training-loop.js'

type Emit = (event: TrainEvent) => void

/**
 * Trains a language model from text files to a model folder: tokenizer, token shards, training with checkpoints, final weights.
 * A run that was stopped or killed at any instant continues with `resume` and ends with the same bytes.
 *
 * @throws LmError UNKNOWN_PRESET, INVALID_OPTION, FILE_NOT_FOUND, DATA_EMPTY, MODEL_EXISTS, FOLDER_LOCKED …; TensorError DISK_FULL …
 */
export async function train(options: TrainOptions, onEvent: Emit = () => {}): Promise<TrainResult> {
  checkTrainOptions(options)
  const out = resolve(options.out)
  const known = options.resume ? await readSettings(out) : undefined
  // Everything that can be refused is refused before anything is written, and nothing is written without the lock.
  if (known) checkResumed(options, known)
  else {
    const size = preset(options.size ?? 'tiny').name
    const { recompute = false } = options
    const { batch, sequence } = sizes(options, Math.min(256, preset(size).context))
    if (options.from === undefined) checkMemory(presetConfig(size, options.vocabSize ?? 4096), { batch, sequence, recompute })
    await findDataFiles(options.data)
  }
  const place = await stat(out).catch(() => undefined)
  if (place && !place.isDirectory()) throw new LmError('NOT_WRITABLE', `${out} is a file. Give --out a folder.`)
  await using _lock = await lockFolder(out, 'training')
  if (!known) await startRunFolder(out, options.force === true)
  try {
    return await execute(out, options, known, onEvent)
  } catch (error) {
    // Stopped before the first step: there is nothing to keep.
    if (options.signal?.aborted && error === options.signal.reason)
      return {
        folder: out,
        step: 0,
        steps: options.steps ?? 0,
        stopped: true,
        loss: Number.NaN,
        bitsPerByte: null,
        seconds: 0,
        tokens: 0,
      }
    throw error
  }
}

async function execute(out: string, options: TrainOptions, known: TrainSettings | undefined, emit: Emit): Promise<TrainResult> {
  const { signal } = options
  const data = known?.data ?? options.data.map((path) => resolve(path))
  const from = known ? known.from : (options.from ?? null)
  const origin = from === null ? undefined : await LanguageModel.load(from)
  const tokenizer = origin?.tokenizer ?? (await makeTokenizer(out, options, known, data, emit))

  emit({ type: 'phase', phase: 'tokens', message: `Encoding ${data.join(', ')}` })
  const asked = options.valid === undefined || isShare(options.valid) ? options.valid : resolve(options.valid)
  const valid = known ? known.valid : (asked ?? (await defaultShare(data)))
  const { dataset: prepared, warnings } = await prepareTokens({
    files: data,
    tokenizer,
    folder: runFiles.tokens(out),
    ...(valid !== null && { validation: isShare(valid) ? Number(valid) : valid }),
    ...(signal && { signal }),
  })
  using dataset = prepared
  for (const message of warnings) emit({ type: 'warning', message })

  const settings = resolveSettings(options, known, { data, valid, tokens: dataset.train.tokens, origin })
  await writeSettings(out, settings)
  const { batch, sequence, accumulate, learningRate, weightDecay, clipNorm, dropout, seed, threads } = settings
  const config = origin ? createConfig({ ...origin.config, context: sequence, dropout }) : modelConfig(settings, tokenizer)
  if (!known && !origin && options.sequence === undefined && sequence < 256 && sequence < preset(settings.size ?? 'tiny').context)
    emit({ type: 'warning', message: `The text has only ${dataset.train.tokens} tokens: sequences are ${sequence} tokens long.` })
  const { recompute = false } = options
  checkMemory(config, { batch, sequence, recompute })
  const model = new LlamaForCausalLM(config, { seed: origin ? null : seed, recompute })
  if (origin) model.loadStateDict(origin.weights)

  emit({ type: 'phase', phase: 'compile', message: `Compiling the training step of ${parameterCount(config)} parameters` })
  const { spin = false, device = 'cpu' } = options
  const optimizer = optim.adamw({ lr: learningRate, betas: [0.9, 0.95], weightDecay })
  const step = await languageModelingStep(model, {
    optimizer,
    batch,
    length: sequence,
    accumulate,
    clipNorm,
    seed,
    threads,
    spin,
    device,
  })
  let validation: LossProgram | undefined
  try {
    const held = dataset.validation?.tokens ?? 0
    if (held > sequence) validation = await LossProgram.compile(model, { batch, length: sequence, threads, spin, device })
    else if (valid !== null)
      emit({ type: 'warning', message: `No validation: ${held} tokens are held out, and one window needs ${sequence + 1}.` })
    const resumed = known !== undefined
    const result = await trainingLoop({ out, options, settings, tokenizer, dataset, model, step, validation, resumed, emit })
    if (result.stopped) return result
    await saveModel(out, {
      config,
      tensors: tensorsOf(model),
      tokenizerJson: JSON.stringify(tokenizer.toJson()),
      dtype: settings.dtype,
      ...(options.card !== undefined && { card: options.card }),
    })
    return result
  } finally {
    validation?.close()
    await step.close()
  }
}

/** The run's own tokenizer: kept from its first part, given, or trained on the data. */
async function makeTokenizer(
  out: string,
  { tokenizer: given, vocabSize, signal }: TrainOptions,
  known: TrainSettings | undefined,
  data: readonly string[],
  emit: Emit,
): Promise<Tokenizer> {
  const path = runFiles.tokenizer(out)
  if (known && (await stat(path).catch(() => undefined))) return Tokenizer.load(path)
  const save = async (tokenizer: Tokenizer) => {
    await tokenizer.save(path)
    return tokenizer
  }
  if (given) return save(await Tokenizer.load(given))
  emit({ type: 'phase', phase: 'tokenizer', message: 'Training a tokenizer' })
  const { tokenizer, warnings } = await trainTokenizer({ data, vocabSize: known?.vocabSize ?? vocabSize, signal })
  for (const message of warnings) emit({ type: 'warning', message })
  return save(tokenizer)
}
