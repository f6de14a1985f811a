import { checkEnough, checkRoom, checkSizes, type TokenArray } from './batches.js'
import { CutWindows, type EpochWindows, findSegments, ignoredTarget, PackedWindows, setAt } from './epoch-windows.js'
import type { TokenIndex, TokenSplit } from './token-index.js'
import type { TokenShards } from './token-shards.js'

export interface WindowOptions {
  /** Windows per batch. */
  readonly batchSize: number
  /** Tokens per window. */
  readonly sequenceLength: number
}

/** What was written by `nextInto`. */
export interface WindowBatch {
  /** Windows that hold text: less than `batchSize` in the last batch, whose other rows are all ignored. */
  readonly windows: number
  /** Targets that count: all that are learned but special tokens. The sum of the loss is its mean times this. */
  readonly tokens: number
  /** UTF-8 bytes of those targets' text. Bits per byte = sum of the loss in nats / ln 2 / bytes. */
  readonly bytes: number
}

/**
 * Full windows in order, without overlap: every token but the first (and the rest that fills no window) is a target once. Where only answers
 * are learned: whole conversations, packed, of which the answers are targets.
 */
export class Windows {
  readonly batchSize: number
  readonly sequenceLength: number
  /** How many windows there are. */
  readonly count: number
  readonly #windows: EpochWindows
  readonly #bytes: readonly number[]
  readonly #special: ReadonlySet<number>
  #next = 0

  /** @throws LmError DATA_TOO_SMALL, INVALID_CONFIG */
  constructor(
    shards: TokenShards,
    index: TokenIndex,
    split: TokenSplit,
    use: string,
    { batchSize, sequenceLength }: WindowOptions,
  ) {
    checkSizes(batchSize, sequenceLength)
    if (index.unlearned === 0) checkEnough(split, sequenceLength, use)
    this.batchSize = batchSize
    this.sequenceLength = sequenceLength
    this.#windows =
      index.unlearned === 0
        ? new CutWindows(shards, split, sequenceLength)
        : new PackedWindows(shards, index, findSegments(shards, index, split, sequenceLength), sequenceLength)
    this.#bytes = index.tokenBytes
    this.#special = new Set(index.specialIds)
    this.count = this.#windows.size
  }

  /** Writes the next batch, both [batchSize, sequenceLength]; special tokens as targets become -100. Undefined after the last. */
  nextInto(inputs: TokenArray, targets: TokenArray): WindowBatch | undefined {
    const length = this.sequenceLength
    checkRoom(inputs, targets, this.batchSize * length)
    if (this.#next >= this.count) return undefined
    const windows = Math.min(this.batchSize, this.count - this.#next)
    let [tokens, bytes] = [0, 0]
    for (let row = 0; row < windows; row++) {
      this.#windows.write(this.#next++, inputs, targets, row * length)
      for (let at = row * length; at < (row + 1) * length; at++) {
        const id = Number(targets[at])
        if (id === ignoredTarget) continue
        if (this.#special.has(id)) setAt(targets, at, ignoredTarget)
        else {
          tokens++
          bytes += this.#bytes[id]!
        }
      }
    }
    for (let at = windows * length; at < inputs.length; at++) {
      setAt(inputs, at, 0)
      setAt(targets, at, ignoredTarget)
    }
    return { windows, tokens, bytes }
  }
}
