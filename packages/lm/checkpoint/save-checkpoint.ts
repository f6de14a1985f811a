import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FloatTensor } from '@enigma/tensor/formats'
import {
  type FileContent,
  type FileDigest,
  removeLeftovers,
  safetensorsBytes,
  syncFolder,
  temporaryName,
  type WriteOptions,
  writeDurable,
  writeError,
} from '@enigma/tensor/formats'
import { isFault, LmError } from '../errors.js'
import {
  CHECKPOINT_FORMAT,
  checkpointName,
  LATEST,
  listCheckpoints,
  MANIFEST,
  OPTIMIZER,
  replacedName,
  STATE,
  stepOf,
  trainerFolder,
  WEIGHTS,
} from './checkpoint-files.js'

/** All that a training run needs to go on as if it had not stopped. */
export interface CheckpointContent {
  readonly step: number
  /** The weights, by name, in float32: bit-exact. */
  readonly tensors: Readonly<Record<string, FloatTensor>>
  /** The optimizer's moments, by name. */
  readonly optimizer?: Readonly<Record<string, FloatTensor>>
  /** Everything else (data cursor, random state, schedule, settings), as JSON. */
  readonly state: unknown
}

export interface SaveCheckpointOptions extends WriteOptions {
  /** How many checkpoints stay, this one included (default 2). */
  readonly keep?: number
}

/**
 * Saves a checkpoint under `<folder>/trainer`. It appears complete or not at all, whenever the process is killed, the machine
 * stops or the disk fills; then the earlier ones are untouched. Checkpoints of later steps (a run that went on from an earlier
 * step makes them obsolete) and all but the newest `keep` are removed. One process writes at a time (see `lockFolder`).
 * @returns the checkpoint's folder
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function saveCheckpoint(
  folder: string,
  content: CheckpointContent,
  options: SaveCheckpointOptions = {},
): Promise<string> {
  const { keep = 2, ...writing } = options
  const trainer = trainerFolder(folder)
  const place = join(trainer, checkpointName(content.step))
  const staging = join(trainer, temporary(checkpointName(content.step)))
  const latest = join(trainer, temporary(LATEST))
  try {
    await mkdir(trainer, { recursive: true })
    await recover(trainer)
    await mkdir(staging)
    await writeContent(staging, place, content, writing)
    // Everything that needs space is on the disk before the first rename.
    await writeDurable(
      latest,
      json({ format: CHECKPOINT_FORMAT, step: content.step, checkpoint: checkpointName(content.step) }),
      writing,
    )
    await exchange(trainer, staging, content.step)
    await rename(latest, join(trainer, LATEST))
    await syncFolder(trainer)
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined)
    await rm(latest, { force: true }).catch(() => undefined)
    throw await withConsequence(writeError(error, place), folder, content.step)
  }
  await prune(folder, content.step, Math.max(1, keep)).catch((error) => {
    throw writeError(error, trainer)
  })
  return place
}

async function writeContent(staging: string, place: string, content: CheckpointContent, writing: WriteOptions): Promise<void> {
  const parts: [string, FileContent][] = [[WEIGHTS, safetensorsBytes(content.tensors)]]
  if (content.optimizer) parts.push([OPTIMIZER, safetensorsBytes(content.optimizer)])
  parts.push([STATE, JSON.stringify(content.state ?? null)])
  const write = (name: string, bytes: FileContent) =>
    writeDurable(join(staging, name), bytes, { ...writing, shownAs: join(place, name) })
  const files: [string, FileDigest][] = []
  for (const [name, bytes] of parts) files.push([name, await write(name, bytes)])
  await write(MANIFEST, json({ format: CHECKPOINT_FORMAT, step: content.step, files: Object.fromEntries(files) }))
  await syncFolder(staging)
}

/** Puts the finished folder into its place; a folder cannot be renamed onto a full one, so an earlier one steps aside first. */
async function exchange(trainer: string, staging: string, step: number): Promise<void> {
  const place = join(trainer, checkpointName(step))
  const replaced = join(trainer, replacedName(step))
  const occupied = await exists(place)
  if (occupied) await rename(place, replaced)
  await rename(staging, place)
  await syncFolder(trainer)
  if (occupied) await remove(trainer, replacedName(step))
}

/** Finishes what a killed write began. */
async function recover(trainer: string): Promise<void> {
  await removeLeftovers(trainer)
  for (const name of await readdir(trainer)) {
    const step = stepOf(name, true)
    if (step === null) continue
    if (await exists(join(trainer, checkpointName(step)))) await remove(trainer, name)
    else await rename(join(trainer, name), join(trainer, checkpointName(step)))
  }
}

async function prune(folder: string, step: number, keep: number): Promise<void> {
  const checkpoints = await listCheckpoints(folder)
  const kept = new Set(checkpoints.filter((entry) => entry.step <= step).slice(0, keep))
  for (const entry of checkpoints) if (!kept.has(entry)) await remove(trainerFolder(folder), checkpointName(entry.step))
}

/** Removes a checkpoint under another name first: a removal that is killed half-way must not look like a damaged checkpoint. */
async function remove(trainer: string, name: string): Promise<void> {
  const aside = join(trainer, temporary(name))
  await rename(join(trainer, name), aside)
  await rm(aside, { recursive: true, force: true })
}

async function withConsequence(error: Error, folder: string, step: number): Promise<Error> {
  const code = isFault(error) ? error.code : 'WRITE_FAILED'
  const earlier = (await listCheckpoints(folder).catch(() => []))[0]
  const rest = earlier ? `the earlier one in ${earlier.folder} is untouched` : 'there is no earlier one'
  return new LmError(code, `${error.message}. The checkpoint of step ${step} was not saved; ${rest}`, { cause: error })
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function temporary(name: string): string {
  return temporaryName(name.replace(/^\./, ''), randomBytes(4).toString('hex'))
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
