/**
 * A pseudo-random permutation of 0 … size - 1 that takes no memory: a Feistel network (Luby, Rackoff 1988) over the next power of four, results
 * outside of the range encrypted again until they fall inside ("cycle walking": Black, Rogaway 2002; less than four rounds on average).
 */
export class Permutation {
  readonly size: number
  readonly #half: number
  readonly #keys: readonly number[]

  /** @param size 1 to 2^32 */
  constructor(size: number, seed: number, stream: number) {
    this.size = size
    this.#half = Math.max(1, Math.ceil(Math.log2(size) / 2))
    this.#keys = Array.from({ length: 6 }, (_, round) => hashed(seed, stream, round))
  }

  /** Where `index` goes. */
  at(index: number): number {
    let value = index
    do value = this.#encrypt(value)
    while (value >= this.size)
    return value
  }

  #encrypt(value: number): number {
    const range = 2 ** this.#half
    let left = Math.floor(value / range)
    let right = value % range
    for (const key of this.#keys) [left, right] = [right, (left ^ (mixed(right ^ key) & (range - 1))) >>> 0]
    return left * range + right
  }
}

/** 32 random-looking bits that depend on all three numbers (each up to 2^53). */
export function hashed(seed: number, stream: number, item: number): number {
  let hash = 0x9e3779b9
  for (const value of [seed, stream, item]) {
    hash = mixed(hash ^ (value >>> 0))
    hash = mixed((hash + Math.floor(value / 2 ** 32)) | 0)
  }
  return hash
}

/** The finalizer of MurmurHash3 (Appleby): every bit of the input changes every bit of the result with probability one half. */
function mixed(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
