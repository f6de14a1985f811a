import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomic } from '@enigma/tensor/formats'
import { refuseExistingModel } from '../checkpoint/index.js'
import { LmError } from '../errors.js'
import { MODEL_SETTINGS } from '../formats/companions.js'
import { parseSettings, type TrainSettings } from './train-settings.js'

/** Where a training run keeps its own files, beside the checkpoints. */
export const runFiles = {
  folder: (out: string) => join(out, 'trainer'),
  settings: (out: string) => join(out, 'trainer', 'run.json'),
  tokens: (out: string) => join(out, 'trainer', 'tokens'),
  metrics: (out: string) => join(out, 'trainer', 'metrics.jsonl'),
  tokenizer: (out: string) => join(out, 'trainer', 'tokenizer.json'),
} as const

/**
 * Makes room for a new run; call it under the folder's lock. A model that `force` replaces stays until the new one is complete.
 * @throws LmError MODEL_EXISTS unless `force`
 */
export async function startRunFolder(out: string, force: boolean): Promise<void> {
  if (!force) {
    await refuseExistingModel(out, MODEL_SETTINGS)
    if (await stat(runFiles.settings(out)).catch(() => undefined))
      throw new LmError(
        'MODEL_EXISTS',
        `${out} holds a training run. Continue it with --resume, replace it with --force, or choose another folder`,
      )
  }
  const folder = runFiles.folder(out)
  try {
    const foreign = (await readdir(folder).catch(ifMissing)).find((name) => !ours.test(name))
    if (foreign !== undefined)
      throw new LmError('MODEL_EXISTS', `${folder} holds ${foreign}, which no training run has made. Choose another folder`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
  } catch (error) {
    if (error instanceof LmError) throw error
    throw new LmError('NOT_WRITABLE', `${out} cannot be made: ${(error as Error).message}`, { cause: error })
  }
}

/** What runs leave in `trainer`; a folder of that name with anything else in it is not removed. */
const ours =
  /^(run\.json|tokens|metrics\.jsonl|tokenizer\.json|latest\.json|checkpoint-\d+|best-\d+\.safetensors|\..+\.(tmp|replaced))$/

function ifMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

export async function writeSettings(out: string, settings: TrainSettings): Promise<void> {
  await writeAtomic(runFiles.settings(out), `${JSON.stringify(settings, null, 2)}\n`)
}

/** The settings an interrupted run was started with. @throws LmError NO_CHECKPOINT when there is no run to resume */
export async function readSettings(out: string): Promise<TrainSettings> {
  const path = runFiles.settings(out)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const message =
      error.code === 'ENOENT' ? `${out} holds no training run to resume. Start one without --resume.` : error.message
    throw new LmError('NO_CHECKPOINT', message, { cause: error })
  })
  try {
    return parseSettings(JSON.parse(text))
  } catch (error) {
    throw new LmError('FILE_CORRUPT', `${path} is damaged: ${(error as Error).message}. Start the run again with --force.`, {
      cause: error,
    })
  }
}
