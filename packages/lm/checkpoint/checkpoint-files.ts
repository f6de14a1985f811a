import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Where checkpoints lie in a model folder:
 *
 *     trainer/latest.json                      {format, step, checkpoint}: the one to resume from
 *     trainer/checkpoint-<step>/manifest.json  {format, step, files}: SHA-256 and size of each file
 *                               weights.safetensors, optimizer.safetensors (if any), state.json
 *     trainer/.checkpoint-<step>.replaced      the same step's earlier checkpoint, while it is exchanged
 *     trainer/.*.tmp                           half-written
 */

export const WEIGHTS = 'weights.safetensors'
export const OPTIMIZER = 'optimizer.safetensors'
export const STATE = 'state.json'
export const MANIFEST = 'manifest.json'
export const LATEST = 'latest.json'
export const CHECKPOINT_FORMAT = 1

export interface CheckpointPlace {
  readonly step: number
  readonly folder: string
}

export function trainerFolder(folder: string): string {
  return join(folder, 'trainer')
}

export function checkpointName(step: number): string {
  return `checkpoint-${step}`
}

export function replacedName(step: number): string {
  return `.checkpoint-${step}.replaced`
}

/** The step in the name of a checkpoint's folder (`replaced`: of one that is being exchanged). */
export function stepOf(name: string, replaced = false): number | null {
  const match = (replaced ? /^\.checkpoint-(\d+)\.replaced$/ : /^checkpoint-(\d+)$/).exec(name)
  return match ? Number(match[1]) : null
}

/** Complete checkpoints, highest step first. A write killed while it exchanged a step's checkpoint leaves the earlier one: it counts. */
export async function listCheckpoints(folder: string): Promise<CheckpointPlace[]> {
  const trainer = trainerFolder(folder)
  const names = await readdir(trainer).catch(() => [])
  const places = new Map<number, string>()
  for (const replaced of [true, false]) {
    for (const name of names) {
      const step = stepOf(name, replaced)
      if (step !== null) places.set(step, join(trainer, name))
    }
  }
  return [...places].map(([step, path]) => ({ step, folder: path })).sort((a, b) => b.step - a.step)
}
