import type { BoundRun, HostTensor } from '@enigma/tensor'
import type { Decoder } from '../decoder.js'

/** One row of a decoding step: the token that a text goes on with, after `filled` tokens in the cache of its slot. */
export interface DecodingRow {
  readonly filled: number
  readonly token: number
}

/**
 * Keys and values of several texts, one slot each: one buffer [slots, kvHeads, context, headDim] for the keys of a layer and one for its
 * values, read and written in place. A run sees a range of neighbouring slots, so that all texts in it go on by a token in one
 * execution; one alone may read many tokens. One run at a time.
 */
export class KeyValueSlots {
  readonly #decoder: Decoder
  readonly #names: readonly string[]
  #capacity = 0
  #caches: ReadonlyMap<string, Float32Array> = new Map()
  #tokens = new BigInt64Array()
  #last = new Int32Array()
  #logits = new Float32Array()
  readonly #total = new Int32Array(1)
  readonly #position = new BigInt64Array(1)
  /** Steps bound so far, by their range. */
  readonly #steps = new Map<string, BoundRun>()

  constructor(decoder: Decoder) {
    this.#decoder = decoder
    this.#names = Array.from({ length: decoder.config.layers }, (_, layer) => [`keys.${layer}`, `values.${layer}`]).flat()
  }

  get capacity(): number {
    return this.#capacity
  }

  /**
   * Makes room for more slots. @param filled tokens in the cache of each slot there is
   * @throws RangeError when there is no memory for them; then everything is as it was
   */
  grow(capacity: number, filled: readonly number[]): void {
    const { vocabSize } = this.#decoder.config
    const size = this.#slotSize()
    const caches = new Map(this.#names.map((name) => [name, new Float32Array(capacity * size)]))
    const logits = new Float32Array(capacity * vocabSize)
    for (const [slot, length] of filled.entries())
      for (const [name, cache] of this.#caches) copyHeads(cache, slot, caches.get(name)!, slot, length, this.#decoder.config)
    this.release()
    this.#caches = caches
    this.#logits = logits
    this.#tokens = new BigInt64Array(capacity)
    this.#last = new Int32Array(capacity)
    this.#capacity = capacity
  }

  /** Reads tokens of one text, after the `filled` ones; then `logits(slot)` are those after the last. Aborted, it leaves those as they were. */
  async read(slot: number, filled: number, tokens: readonly number[], signal: AbortSignal): Promise<void> {
    if (tokens.length === 1) return this.decode(slot, [{ filled, token: tokens[0]! }], signal)
    this.#last[slot] = filled + tokens.length - 1
    this.#total[0] = filled + tokens.length
    const run = this.#bind(slot, 1, BigInt64Array.from(tokens, BigInt), BigInt64Array.of(BigInt(tokens.length - 1)))
    try {
      await run.run(signal)
    } finally {
      run.release()
    }
  }

  /** Feeds one token to each of the slots from `first` on. */
  async decode(first: number, rows: readonly DecodingRow[], signal: AbortSignal): Promise<void> {
    let total = 0
    for (const [index, { filled, token }] of rows.entries()) {
      this.#tokens[first + index] = BigInt(token)
      this.#last[first + index] = filled
      total = Math.max(total, filled + 1)
    }
    this.#total[0] = total
    const range = `${first} ${rows.length}`
    let run = this.#steps.get(range)
    if (!run) {
      run = this.#bind(first, rows.length, this.#tokens.subarray(first, first + rows.length), this.#position)
      this.#steps.set(range, run)
    }
    await run.run(signal)
  }

  /** [vocabulary] after the last token that the slot has read; valid, and may be changed, until the next run. */
  logits(slot: number): Float32Array {
    const { vocabSize } = this.#decoder.config
    return this.#logits.subarray(slot * vocabSize, (slot + 1) * vocabSize)
  }

  /** Gives `to` the first `length` tokens of `from`. */
  copy(from: number, to: number, length: number): void {
    for (const cache of this.#caches.values()) copyHeads(cache, from, cache, to, length, this.#decoder.config)
  }

  /** Exchanges what two slots have read, `length` tokens at most. */
  swap(a: number, b: number, length: number): void {
    const spare = new Float32Array(this.#slotSize())
    for (const cache of this.#caches.values()) {
      copyHeads(cache, a, spare, 0, length, this.#decoder.config)
      copyHeads(cache, b, cache, a, length, this.#decoder.config)
      copyHeads(spare, 0, cache, b, length, this.#decoder.config)
    }
  }

  /** Lets go of what native code holds; while a run is under way, that waits for its end. */
  release(): void {
    for (const run of this.#steps.values()) run.release()
    this.#steps.clear()
  }

  #slotSize(): number {
    const { kvHeads, context, headDim } = this.#decoder.config
    return kvHeads * context * headDim
  }

  /** @param tokens [count, length], flat */
  #bind(first: number, count: number, tokens: BigInt64Array, position: BigInt64Array): BoundRun {
    const { kvHeads, context, headDim, vocabSize } = this.#decoder.config
    const size = this.#slotSize()
    const feeds: Record<string, HostTensor> = {
      tokens: { dtype: 'i64', shape: [count, tokens.length / count], data: tokens },
      last: { dtype: 'i32', shape: [count], data: this.#last.subarray(first, first + count) },
      total: { dtype: 'i32', shape: [1], data: this.#total },
      position: { dtype: 'i64', shape: [1], data: position },
    }
    const logits = this.#logits.subarray(first * vocabSize, (first + count) * vocabSize)
    const fetches: Record<string, HostTensor> = { logits: { dtype: 'f32', shape: [count, vocabSize], data: logits } }
    for (const [name, cache] of this.#caches) {
      const data = cache.subarray(first * size, (first + count) * size)
      const tensor = { dtype: 'f32', shape: [count, kvHeads, context, headDim], data } as const
      feeds[name] = tensor
      // The new cache is written over the old one.
      fetches[`new.${name}`] = tensor
    }
    return this.#decoder.bind(feeds, fetches)
  }
}

/** Copies the first `length` positions of every head [context, headDim] of one slot to another. */
function copyHeads(
  from: Float32Array,
  fromSlot: number,
  to: Float32Array,
  toSlot: number,
  length: number,
  { kvHeads, context, headDim }: Decoder['config'],
): void {
  for (let head = 0; head < kvHeads; head++) {
    const start = (fromSlot * kvHeads + head) * context * headDim
    to.set(from.subarray(start, start + length * headDim), (toSlot * kvHeads + head) * context * headDim)
  }
}
