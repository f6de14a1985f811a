import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { tokenizerConfigFile } from '../chat/template-file.js'
import { lockFolder, saveModel } from '../checkpoint/index.js'
import { MODEL } from '../checkpoint/model-folder.js'
import { findDataFiles } from '../data/index.js'
import { LmError } from '../errors.js'
import { MODEL_SETTINGS, staleFiles } from '../formats/companions.js'
import { saveAdapter } from '../formats/peft-adapter.js'
import { loraTensors, mergedTensors } from '../model/lora.js'
import { preset, presetConfig } from '../presets.js'
import { checkMemory } from './check-memory.js'
import { type PreparedRun, prepareRun } from './prepare-run.js'
import { readSettings, startRunFolder } from './run-folder.js'
import type { TrainEvent, TrainResult } from './train-events.js'
import { checkTrainOptions, type TrainOptions } from './train-options.js'
import { checkResumed, sizes, type TrainSettings } from './train-settings.js'
import { trainingLoop } from './training-loop.js'

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
  if (options.lora !== undefined && options.from !== undefined && resolve(options.from) === out)
    throw new LmError('INVALID_OPTION', `The adapter's model is left as it is, so --out must be another folder than ${out}.`)
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
  await using run = await prepareRun(out, options, known, emit)
  const result = await trainingLoop({ ...run, out, options, resumed: known !== undefined, emit })
  if (!result.stopped) await saveRun(out, run, options)
  return result
}

/** The finished model; beside it the adapter alone, where one was trained. */
async function saveRun(out: string, run: PreparedRun, { card }: TrainOptions): Promise<void> {
  const { config, model, tokenizer, template, settings } = run
  const { lora, from, dtype } = settings
  const beside = tokenizerConfigFile(tokenizer, template, config.context)
  if (lora && from !== null)
    await saveAdapter(join(out, 'adapter'), { config: lora, base: from, tensors: loraTensors(model), beside })
  const content = {
    config,
    tensors: mergedTensors(model),
    tokenizerJson: JSON.stringify(tokenizer.toJson()),
    beside,
    dtype,
    ...(card !== undefined && { card }),
  }
  await saveModel(out, content, { removed: await staleFiles(out, [MODEL, ...Object.keys(beside)], MODEL_SETTINGS) })
}
