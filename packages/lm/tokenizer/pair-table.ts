/** Numbers pairs of token ids 0, 1, 2 … in the order they are added. */
export class PairTable {
  #slots: Int32Array
  #left: Int32Array
  #right: Int32Array
  #size = 0

  /** @param expected how many pairs to make room for */
  constructor(expected = 1024) {
    const slots = 1 << Math.max(4, Math.ceil(Math.log2(expected * 2)))
    this.#slots = new Int32Array(slots).fill(-1)
    this.#left = new Int32Array(slots >> 1)
    this.#right = new Int32Array(slots >> 1)
  }

  /** How many pairs there are. */
  get size(): number {
    return this.#size
  }

  left(pair: number): number {
    return this.#left[pair]!
  }

  right(pair: number): number {
    return this.#right[pair]!
  }

  /** The number of a pair; -1 where it was never added. */
  get(left: number, right: number): number {
    return this.#slots[this.#slot(left, right)]!
  }

  /** The number of a pair, added if it is new. */
  add(left: number, right: number): number {
    const slot = this.#slot(left, right)
    const known = this.#slots[slot]!
    if (known >= 0) return known
    const pair = this.#size++
    this.#left[pair] = left
    this.#right[pair] = right
    this.#slots[slot] = pair
    if (this.#size === this.#left.length) this.#grow()
    return pair
  }

  #slot(left: number, right: number): number {
    const mask = this.#slots.length - 1
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
    hash ^= hash >>> 15
    let slot = hash & mask
    for (let pair = this.#slots[slot]!; pair >= 0; pair = this.#slots[slot]!) {
      if (this.#left[pair] === left && this.#right[pair] === right) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const length = this.#slots.length
    const [left, right] = [this.#left, this.#right]
    this.#left = new Int32Array(length)
    this.#right = new Int32Array(length)
    this.#left.set(left)
    this.#right.set(right)
    this.#slots = new Int32Array(length * 2).fill(-1)
    for (let pair = 0; pair < this.#size; pair++) this.#slots[this.#slot(left[pair]!, right[pair]!)] = pair
  }
}
