import { Heap } from './heap.js'
import { PairTable } from './pair-table.js'

/** Up to this many bytes the pair of lowest rank is looked for by scanning: quicker than a heap, though quadratic. */
const scanned = 48

/** The merge rules of a byte-pair encoding, in order of rank, and their application. */
export class Merges {
  readonly #pairs: PairTable
  /** The token each rule makes, by rank. */
  readonly #merged: Int32Array

  /** @param rules each [left id, right id, merged id]; the earlier goes first; a repeated pair keeps its first rank */
  constructor(rules: readonly (readonly [number, number, number])[]) {
    this.#pairs = new PairTable(rules.length + 1)
    this.#merged = new Int32Array(rules.length)
    for (const [left, right, merged] of rules) {
      const known = this.#pairs.size
      const rank = this.#pairs.add(left, right)
      if (rank === known) this.#merged[rank] = merged
    }
  }

  /** Merges ids[0, length) in place, always the pair of lowest rank, the leftmost first. Returns the new length. */
  apply(ids: Int32Array, length: number): number {
    return length <= scanned ? this.#applyScanning(ids, length) : this.#applyHeap(ids, length)
  }

  #applyScanning(ids: Int32Array, given: number): number {
    let length = given
    while (length > 1) {
      let best = -1
      let at = 0
      for (let i = 0; i + 1 < length; i++) {
        const rank = this.#pairs.get(ids[i]!, ids[i + 1]!)
        if (rank >= 0 && (best < 0 || rank < best)) {
          best = rank
          at = i
        }
      }
      if (best < 0) break
      ids[at] = this.#merged[best]!
      ids.copyWithin(at + 1, at + 2, length)
      length--
    }
    return length
  }

  /** The same in O(n log n): the tokens are a linked list, the pairs lie in a heap by rank and place. */
  #applyHeap(ids: Int32Array, length: number): number {
    const next = Int32Array.from({ length }, (_, i) => (i + 1 < length ? i + 1 : -1))
    const previous = Int32Array.from({ length }, (_, i) => i - 1)
    const alive = new Uint8Array(length).fill(1)
    // Rank and place in one number: exact below 2^53.
    const places = 2 ** Math.ceil(Math.log2(length))
    const heap = new Heap((a, b) => a < b)
    const offer = (left: number) => {
      const right = next[left]!
      if (right < 0) return
      const rank = this.#pairs.get(ids[left]!, ids[right]!)
      if (rank >= 0) heap.push(rank * places + left)
    }
    for (let i = 0; i < length; i++) offer(i)
    for (let item = heap.pop(); item !== undefined; item = heap.pop()) {
      const left = item % places
      const rank = (item - left) / places
      const right = next[left]!
      // Entries whose pair was changed by another merge are stale.
      if (!alive[left] || right < 0 || this.#pairs.get(ids[left]!, ids[right]!) !== rank) continue
      ids[left] = this.#merged[rank]!
      alive[right] = 0
      const after = next[right]!
      next[left] = after
      if (after >= 0) previous[after] = left
      if (previous[left]! >= 0) offer(previous[left]!)
      offer(left)
    }
    let kept = 0
    for (let at = 0; at >= 0; at = next[at]!) ids[kept++] = ids[at]!
    return kept
  }
}
