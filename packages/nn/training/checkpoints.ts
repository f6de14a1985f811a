import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostTensor } from '@enigma/tensor'
import { openTensors, writeSafetensors } from '@enigma/tensor/formats'
import { NnError } from '../errors.js'
import type { Layer, StateDict } from '../layer.js'
import type { TrainingStep } from '../step.js'
import type { EpochRecord, History } from './callbacks.js'
import type { EpochSums } from './epoch-means.js'

export interface CheckpointOptions {
  /** Where checkpoints lie: files `step-<updates>.safetensors`. Made if missing. */
  readonly folder: string
  /** Go on from the last checkpoint in the folder, if there is one. Default false: a folder that has some is refused. */
  readonly resume?: boolean
  /** A checkpoint after every so many epochs. Default 1. The end of a run always leaves one. */
  readonly everyEpochs?: number
  /** Also after every so many updates. Default: none within an epoch. */
  readonly everySteps?: number
  /** How many stay. Default 2. */
  readonly keep?: number
}

/** What a run needs to go on, besides tensors. */
export interface RunState {
  /** The next batch: its epoch, and how many updates of the epoch are made. */
  readonly epoch: number
  readonly index: number
  readonly stepsPerEpoch: number
  /** Of the epoch so far. */
  readonly sums: EpochSums
  readonly records: readonly EpochRecord[]
  readonly counters: TrainingStep<string>['counters']
  /** Native threads: results are bit-equal at the same number. */
  readonly threads: number
  /** Why the run had ended when this was saved; `finished` also while it goes on. */
  readonly ended: History['ended']
  /** Kinds of the optimizers. */
  readonly optimizers: readonly string[]
}

export interface SavedRun {
  readonly file: string
  readonly state: RunState
  readonly tensors: StateDict
}

const FORMAT = 'enigma-fit-1'
const name = (step: number) => `step-${String(step).padStart(9, '0')}.safetensors`
const isCheckpoint = (file: string) => /^step-\d{9,}\.safetensors$/.test(file)

/** Tensors under a prefix, by their names without it. */
const under = (tensors: StateDict, prefix: string): StateDict =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([key, tensor]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), tensor]] : [])),
  )

/** SHA-256 over the state and every tensor's name, shape and bytes. */
function digest(state: string, tensors: Readonly<Record<string, HostTensor>>): string {
  const hash = createHash('sha256').update(state)
  for (const key of Object.keys(tensors).sort()) {
    const { dtype, shape, data } = tensors[key]!
    hash.update(`${key}:${dtype}:${shape}`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}

/** The checkpoints of one run: one file each, which is there as a whole or not at all. */
export class Checkpoints {
  readonly #options: CheckpointOptions

  constructor(options: CheckpointOptions) {
    this.#options = options
  }

  dueAtStep(step: number): boolean {
    return this.#options.everySteps !== undefined && step % this.#options.everySteps === 0
  }

  dueAfterEpoch(epoch: number): boolean {
    return (epoch + 1) % (this.#options.everyEpochs ?? 1) === 0
  }

  /**
   * The last checkpoint, or undefined where there is none.
   * @throws NnError INVALID_ARGUMENT when there is one and the run is not to be resumed; CHECKPOINT_CORRUPT when it is damaged,
   * naming the one before it
   */
  async latest(): Promise<SavedRun | undefined> {
    const { folder, resume = false } = this.#options
    const files = await this.#files()
    const last = files.at(-1)
    if (last === undefined) return undefined
    if (!resume)
      throw new NnError(
        'INVALID_ARGUMENT',
        `${folder} holds the checkpoints of a run (${last}). Give \`resume: true\` to go on with it, or another folder.`,
      )
    try {
      return await read(join(folder, last))
    } catch (cause) {
      const before = files.at(-2)
      const advice = before ? `Delete it to go on from ${before}.` : 'There is none before it.'
      const what = cause instanceof Error ? cause.message : String(cause)
      throw new NnError('CHECKPOINT_CORRUPT', `The checkpoint ${join(folder, last)} cannot be used: ${what}. ${advice}`, {
        cause,
      })
    }
  }

  /** @param best the weights of the best epoch, where the run keeps them */
  async save(net: Layer, step: TrainingStep<string>, state: Omit<RunState, 'counters'>, best: StateDict = {}): Promise<void> {
    const { folder, keep = 2 } = this.#options
    const tensors = {
      ...Object.fromEntries(Object.entries(net.stateDict()).map(([key, tensor]) => [`net.${key}`, tensor])),
      ...Object.fromEntries(Object.entries(step.optimizerState()).map(([key, tensor]) => [`optimizer.${key}`, tensor])),
      ...Object.fromEntries(Object.entries(best).map(([key, tensor]) => [`best.${key}`, tensor])),
    }
    const json = JSON.stringify({ ...state, counters: step.counters } satisfies RunState)
    await mkdir(folder, { recursive: true })
    await writeSafetensors(join(folder, name(step.counters.updates)), tensors, {
      metadata: { format: FORMAT, state: json, sha256: digest(json, tensors) },
    })
    const files = await this.#files()
    for (const file of files.slice(0, Math.max(0, files.length - Math.max(1, keep))))
      await rm(join(folder, file), { force: true })
  }

  async #files(): Promise<string[]> {
    const files = await readdir(this.#options.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return files.filter(isCheckpoint).sort()
  }
}

/** The weights of the best epoch that a saved run has kept. */
export const bestOf = ({ tensors }: SavedRun): StateDict => under(tensors, 'best.')

/** Puts a saved run's tensors into the network and the step. @throws NnError STATE_MISMATCH */
export function restoreRun(
  { file, state, tensors }: SavedRun,
  net: Layer,
  step: TrainingStep<string>,
  optimizers: readonly string[],
): void {
  try {
    if (state.optimizers.join() !== optimizers.join())
      throw new NnError('STATE_MISMATCH', `it was trained by ${state.optimizers.join(', ')}, not by ${optimizers.join(', ')}`)
    net.loadStateDict(under(tensors, 'net.'))
    step.restore(under(tensors, 'optimizer.'), state.counters)
  } catch (cause) {
    throw new NnError('STATE_MISMATCH', `${file} is of another network or optimizer: ${(cause as Error).message}`, { cause })
  }
}

async function read(file: string): Promise<SavedRun> {
  await using reader = await openTensors(file)
  const { format, state: json, sha256 } = reader.metadata
  if (format !== FORMAT || json === undefined) throw new Error(`it is no checkpoint of this program (format ${format})`)
  const tensors: StateDict = {}
  for (const key of reader.tensors.keys()) tensors[key] = await reader.readHost(key)
  if (digest(json, tensors) !== sha256) throw new Error('its content does not match its SHA-256')
  return { file, state: JSON.parse(json) as RunState, tensors }
}
