import { LmError } from '../errors.js'
import { CutWindows, type EpochWindows, findSegments, PackedWindows, type Segment } from './epoch-windows.js'
import { hashed, Permutation } from './permutation.js'
import type { TokenIndex, TokenSplit } from './token-index.js'
import type { TokenShards } from './token-shards.js'

/** What token ids are written into: 64 bits for programs, 32 for people. */
export type TokenArray = BigInt64Array | Int32Array

/** Where a stream of batches stands: plain JSON, to be kept with a checkpoint. */
export interface BatchCursor {
  readonly seed: number
  readonly sequenceLength: number
  /** The key of the data the stream runs over. */
  readonly data: string
  /** Passes over the data that are complete. */
  readonly epoch: number
  /** Windows of this epoch that were given. */
  readonly position: number
}

export interface BatchOptions {
  /** Windows per batch. */
  readonly batchSize: number
  /** Tokens per window. */
  readonly sequenceLength: number
  /** Order and places of the windows. Default 0. With a cursor, the cursor's. */
  readonly seed?: number
  /** Go on from here. */
  readonly cursor?: BatchCursor
}

/** Phases and orders of an epoch are drawn from different streams. */
const phaseStream = 0x70686173

/**
 * An endless stream of training batches. Each epoch cuts the tokens into windows that do not overlap, beginning at a random place so that
 * borders differ from epoch to epoch, and gives every window once, in random order; where only answers are learned, it packs whole
 * conversations into windows instead, in random order. All of it follows from seed and epoch: the same cursor gives the same next batch,
 * whatever the batch size. A batch may span two epochs.
 */
export class Batches {
  readonly batchSize: number
  readonly sequenceLength: number
  readonly #shards: TokenShards
  readonly #index: TokenIndex
  readonly #seed: number
  #segments: readonly Segment[] | undefined
  #epoch: number
  #position: number
  #windows!: EpochWindows
  #order!: (place: number) => number

  /** @throws LmError DATA_TOO_SMALL, CURSOR_MISMATCH, INVALID_CONFIG */
  constructor(shards: TokenShards, index: TokenIndex, { batchSize, sequenceLength, seed = 0, cursor }: BatchOptions) {
    checkSizes(batchSize, sequenceLength)
    this.batchSize = batchSize
    this.sequenceLength = sequenceLength
    this.#shards = shards
    this.#index = index
    if (index.unlearned === 0) checkEnough(index.splits.train, sequenceLength, 'training')
    if (cursor) checkCursor(cursor, sequenceLength, index.key)
    this.#seed = cursor?.seed ?? seed
    this.#epoch = cursor?.epoch ?? 0
    this.#position = cursor?.position ?? 0
    this.#enterEpoch()
    if (this.#position > this.#windows.size) throw mismatch(`it stands at window ${this.#position} of ${this.#windows.size}`)
  }

  /** Where the stream stands: the next batch is what a stream with this cursor gives first. */
  get cursor(): BatchCursor {
    return {
      seed: this.#seed,
      sequenceLength: this.sequenceLength,
      data: this.#index.key,
      epoch: this.#epoch,
      position: this.#position,
    }
  }

  /** Windows in the current epoch; another epoch's may be one more or less. */
  get windowsPerEpoch(): number {
    return this.#windows.size
  }

  /**
   * Writes the next batch: `inputs` and `targets` are [batchSize, sequenceLength], row by row; a target is the token after its input.
   */
  nextInto(inputs: TokenArray, targets: TokenArray): void {
    const length = this.sequenceLength
    checkRoom(inputs, targets, this.batchSize * length)
    for (let row = 0; row < this.batchSize; row++) {
      if (this.#position === this.#windows.size) {
        this.#epoch++
        this.#position = 0
        this.#enterEpoch()
      }
      this.#windows.write(this.#order(this.#position++), inputs, targets, row * length)
    }
  }

  /** The next batch in arrays of its own. */
  next(): { inputs: Int32Array; targets: Int32Array } {
    const size = this.batchSize * this.sequenceLength
    const batch = { inputs: new Int32Array(size), targets: new Int32Array(size) }
    this.nextInto(batch.inputs, batch.targets)
    return batch
  }

  #enterEpoch(): void {
    const length = this.sequenceLength
    const split = this.#index.splits.train
    if (this.#index.unlearned !== 0) {
      const segments = (this.#segments ??= findSegments(this.#shards, this.#index, split, length))
      if (segments.length === 0)
        throw new LmError('DATA_TOO_SMALL', 'The training text has no answers to learn. Add conversations')
      const order = new Permutation(segments.length, this.#seed, this.#epoch)
      this.#windows = new PackedWindows(this.#shards, this.#index, segments, length, (place) => order.at(place))
      this.#order = (place) => place
      return
    }
    // A window needs one token more than its length: the last target.
    const room = split.end - split.start - 1
    const phase = hashed(this.#seed, phaseStream, this.#epoch) % Math.min(length, room - length + 1)
    this.#windows = new CutWindows(this.#shards, split, length, phase)
    const order = new Permutation(this.#windows.size, this.#seed, this.#epoch)
    this.#order = (place) => order.at(place)
  }
}

/** @throws LmError INVALID_CONFIG */
export function checkSizes(batchSize: number, sequenceLength: number): void {
  for (const [name, value] of Object.entries({ batchSize, sequenceLength })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new LmError('INVALID_CONFIG', `${name} must be a whole number above 0, not ${value}`)
  }
}

/** @throws LmError INVALID_CONFIG */
export function checkRoom(inputs: TokenArray, targets: TokenArray, size: number): void {
  if (inputs.length === size && targets.length === size) return
  throw new LmError('INVALID_CONFIG', `inputs and targets need ${size} places each, not ${inputs.length} and ${targets.length}`)
}

/** @throws LmError DATA_TOO_SMALL */
export function checkEnough({ start, end }: TokenSplit, sequenceLength: number, use: string): void {
  const tokens = end - start
  if (tokens > sequenceLength) return
  const fix = tokens > 2 ? `Add text, or use sequences of at most ${tokens - 1} tokens` : 'Add text'
  throw new LmError(
    'DATA_TOO_SMALL',
    `The ${use} text has ${tokens} tokens; one sequence of ${sequenceLength} needs ${sequenceLength + 1}. ${fix}`,
  )
}

function checkCursor(cursor: BatchCursor, sequenceLength: number, key: string): void {
  if (cursor.data !== key) throw mismatch('the training data or the tokenizer has changed since')
  if (cursor.sequenceLength !== sequenceLength)
    throw mismatch(`it counts sequences of ${cursor.sequenceLength} tokens, not ${sequenceLength}`)
  const counts = [cursor.epoch, cursor.position, cursor.seed]
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) throw mismatch('it is damaged')
}

function mismatch(why: string): LmError {
  return new LmError(
    'CURSOR_MISMATCH',
    `Cannot go on from this place in the data: ${why}. Start the run anew, or restore what was changed`,
  )
}
