import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TensorReader } from '@enigma/tensor/formats'
import { openTensors, removeLeftovers } from '@enigma/tensor/formats'
import { type Fault, isFault, LmError } from '../errors.js'
import {
  CHECKPOINT_FORMAT,
  type CheckpointPlace,
  LATEST,
  listCheckpoints,
  MANIFEST,
  OPTIMIZER,
  STATE,
  trainerFolder,
  WEIGHTS,
} from './checkpoint-files.js'
import { parseDigests, verifyFiles } from './digest.js'

/** A verified checkpoint, open for reading. Close it, or hold it with `await using`. */
export interface Checkpoint extends AsyncDisposable {
  readonly step: number
  readonly folder: string
  readonly tensors: TensorReader
  /** Null if it was saved without one. */
  readonly optimizer: TensorReader | null
  readonly state: unknown
  /** Why newer checkpoints were passed over: empty unless `fallback` was used. Tell the user. */
  readonly rejected: readonly Fault[]
  close(): Promise<void>
}

/** A checkpoint is damaged; `previous` is the newest sound one, if there is one. */
export class DamagedCheckpointError extends LmError {
  constructor(
    message: string,
    readonly previous: CheckpointPlace | null,
    options: ErrorOptions,
  ) {
    super('CHECKPOINT_CORRUPT', message, options)
  }
}

/**
 * Opens the checkpoint that `<folder>/trainer/latest.json` names (without one: the highest step), after comparing every file
 * with its hash.
 * @param options.fallback take the newest sound one instead of failing when the newest is damaged (default false)
 * @throws LmError NO_CHECKPOINT
 * @throws DamagedCheckpointError (code CHECKPOINT_CORRUPT), naming the damaged file and offering the previous sound checkpoint
 */
export async function loadCheckpoint(folder: string, options: { readonly fallback?: boolean } = {}): Promise<Checkpoint> {
  await removeLeftovers(trainerFolder(folder))
  const places = await inOrder(folder)
  if (places.length === 0) throw new LmError('NO_CHECKPOINT', `${folder} holds no checkpoint to resume from`)
  const rejected: Fault[] = []
  for (const place of places) {
    try {
      const checkpoint = await openCheckpoint(place, rejected)
      if (rejected.length === 0 || options.fallback) return checkpoint
      await checkpoint.close()
      throw damaged(rejected, place)
    } catch (error) {
      if (!isFault(error) || error instanceof DamagedCheckpointError) throw error
      rejected.push(error)
    }
  }
  throw damaged(rejected, null)
}

function damaged(rejected: readonly Fault[], previous: CheckpointPlace | null): DamagedCheckpointError {
  const offer = previous
    ? `The checkpoint of step ${previous.step} in ${previous.folder} is sound: resume from it with fallback`
    : 'No other checkpoint is sound: start again'
  return new DamagedCheckpointError(`${rejected[0]?.message}. ${offer}`, previous, { cause: rejected[0] })
}

/** The one that latest.json names, then the others, highest step first. */
async function inOrder(folder: string): Promise<CheckpointPlace[]> {
  const places = await listCheckpoints(folder)
  const latest = await readJson(join(trainerFolder(folder), LATEST)).catch(() => null)
  const step = typeof latest === 'object' && latest !== null && 'step' in latest ? latest.step : null
  return [...places.filter((place) => place.step === step), ...places.filter((place) => place.step !== step)]
}

async function openCheckpoint(place: CheckpointPlace, rejected: readonly Fault[]): Promise<Checkpoint> {
  const { step, folder } = place
  const path = join(folder, MANIFEST)
  const manifest = await readJson(path)
  if (
    typeof manifest !== 'object' ||
    manifest === null ||
    !('files' in manifest) ||
    !('step' in manifest) ||
    !('format' in manifest)
  ) {
    throw new LmError('FILE_CORRUPT', `${path} is damaged: it is no manifest of a checkpoint`)
  }
  if (manifest.format !== CHECKPOINT_FORMAT) {
    throw new LmError(
      'FILE_CORRUPT',
      `${path} has format ${JSON.stringify(manifest.format)}; this version reads ${CHECKPOINT_FORMAT}`,
    )
  }
  if (manifest.step !== step)
    throw new LmError('FILE_CORRUPT', `${path} is damaged: it says step ${JSON.stringify(manifest.step)}`)
  const files = parseDigests(manifest.files, path)
  for (const name of [WEIGHTS, STATE]) {
    if (!Object.hasOwn(files, name)) throw new LmError('FILE_CORRUPT', `${path} is damaged: it does not list ${name}`)
  }
  await verifyFiles(folder, files)

  const state = await readJson(join(folder, STATE))
  const tensors = await openTensors(join(folder, WEIGHTS))
  let optimizer: TensorReader | null = null
  try {
    if (Object.hasOwn(files, OPTIMIZER)) optimizer = await openTensors(join(folder, OPTIMIZER))
  } catch (error) {
    await tensors.close()
    throw error
  }
  const close = async () => {
    await tensors.close()
    await optimizer?.close()
  }
  return { step, folder, tensors, optimizer, state, rejected: [...rejected], close, [Symbol.asyncDispose]: close }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new LmError('FILE_NOT_FOUND', `${path} cannot be read: ${error.message}`, { cause: error })
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new LmError('FILE_CORRUPT', `${path} is damaged: it is not JSON`, { cause: error })
  }
}
