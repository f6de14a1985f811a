import { Heap } from './heap.js'
import { PairTable } from './pair-table.js'

/** Distinct words as token ids, one after the other in `ids`; word w is ids[starts[w], starts[w + 1]) and occurs counts[w] times. */
export interface CountedWords {
  readonly ids: Int32Array
  readonly starts: Float64Array
  readonly counts: Float64Array
}

/** A pair that is to be merged. */
export interface LearnedPair {
  readonly left: number
  readonly right: number
  /** How often the pair stood in the text at that moment. */
  readonly count: number
}

/**
 * Byte-pair merges, most frequent pair first (Sennrich, Haddow, Birch 2016, arXiv 1508.07909), with counts kept up to date instead of
 * counted anew. Of equally frequent pairs the one with the smaller left id, then the smaller right id, goes first: the reference
 * implementation's order, so that both learn the same merges.
 *
 * The caller names each merge's token, since two pairs may spell the same one: take a pair with `next`, apply it with `merge`.
 */
export class MergeLearner {
  readonly #ids: Int32Array
  readonly #starts: Float64Array
  readonly #lengths: Int32Array
  readonly #wordCounts: Float64Array
  readonly #pairs = new PairTable(1 << 16)
  /** By pair: how often it occurs now. */
  readonly #counts: number[] = []
  /** By pair: the words it occurs in, or once did. */
  readonly #words: number[][] = []
  /** Heap entries, by number: a pair and its count when pushed. A count that has changed since makes the entry stale. */
  readonly #entryPair: number[] = []
  readonly #entryCount: number[] = []
  readonly #heap = new Heap((a, b) => this.#isBefore(a, b))

  /** @param words `ids` is changed by the merges */
  constructor(words: CountedWords) {
    this.#ids = words.ids
    this.#starts = words.starts
    this.#wordCounts = words.counts
    this.#lengths = new Int32Array(words.counts.length)
    for (let word = 0; word < words.counts.length; word++) {
      const start = words.starts[word]!
      const end = words.starts[word + 1]!
      this.#lengths[word] = end - start
      for (let i = start; i + 1 < end; i++) this.#change(this.#ids[i]!, this.#ids[i + 1]!, 1, word)
    }
    for (let pair = 0; pair < this.#pairs.size; pair++) this.#push(pair)
  }

  /** The most frequent pair that occurs at least `minFrequency` times; undefined when there is none. */
  next(minFrequency: number): LearnedPair | undefined {
    for (let entry = this.#heap.pop(); entry !== undefined; entry = this.#heap.pop()) {
      const pair = this.#entryPair[entry]!
      const count = this.#counts[pair]!
      if (count !== this.#entryCount[entry]) {
        if (count > 0) this.#push(pair)
        continue
      }
      if (count < Math.max(1, minFrequency)) return undefined
      return { left: this.#pairs.left(pair), right: this.#pairs.right(pair), count }
    }
    return undefined
  }

  /** Replaces every `left right` by `merged`. */
  merge(left: number, right: number, merged: number): void {
    const pair = this.#pairs.get(left, right)
    const words = this.#words[pair]!
    this.#words[pair] = []
    const raised = new Set<number>()
    for (const word of words) this.#mergeWord(word, left, right, merged, raised)
    this.#counts[pair] = 0
    for (const changed of raised) this.#push(changed)
  }

  #mergeWord(word: number, left: number, right: number, merged: number, raised: Set<number>): void {
    const ids = this.#ids
    const start = this.#starts[word]!
    const end = start + this.#lengths[word]!
    let to = start
    let from = start
    while (from < end) {
      const id = ids[from]!
      if (id !== left || from + 1 >= end || ids[from + 1] !== right) {
        ids[to++] = id
        from++
        continue
      }
      if (to > start) {
        this.#change(ids[to - 1]!, left, -1, word)
        raised.add(this.#change(ids[to - 1]!, merged, 1, word))
      }
      from += 2
      if (from < end) {
        this.#change(right, ids[from]!, -1, word)
        raised.add(this.#change(merged, ids[from]!, 1, word))
      }
      ids[to++] = merged
    }
    this.#lengths[word] = to - start
  }

  #change(left: number, right: number, by: 1 | -1, word: number): number {
    const pair = this.#pairs.add(left, right)
    if (pair === this.#counts.length) {
      this.#counts.push(0)
      this.#words.push([])
    }
    this.#counts[pair]! += by * this.#wordCounts[word]!
    if (by > 0) {
      const words = this.#words[pair]!
      // A word met twice in a row is listed once; met again later it costs a look, no more.
      if (words[words.length - 1] !== word) words.push(word)
    }
    return pair
  }

  #push(pair: number): void {
    this.#entryPair.push(pair)
    this.#entryCount.push(this.#counts[pair]!)
    this.#heap.push(this.#entryPair.length - 1)
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#entryCount[a]! - this.#entryCount[b]!
    if (difference !== 0) return difference > 0
    const [pairA, pairB] = [this.#entryPair[a]!, this.#entryPair[b]!]
    const left = this.#pairs.left(pairA) - this.#pairs.left(pairB)
    return left !== 0 ? left < 0 : this.#pairs.right(pairA) < this.#pairs.right(pairB)
  }
}
