/** Numbers pieces of text 0, 1, 2 … in the order they are first seen, without making a string of each: a hash over UTF-16 units. */
export class WordTable {
  #slots = new Int32Array(1 << 12).fill(-1)
  #units = new Uint16Array(1 << 14)
  #ends = new Float64Array(1 << 11)
  #hashes = new Int32Array(1 << 11)
  #size = 0

  /** How many words there are. */
  get size(): number {
    return this.#size
  }

  /** The number of the word text[start, end); a word not seen before gets the next number. */
  intern(text: string, start: number, end: number): number {
    let hash = 0x811c9dc5
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    hash ^= hash >>> 15
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (let word = this.#slots[slot]!; word >= 0; word = this.#slots[slot]!) {
      if (this.#hashes[word] === hash && this.#equals(word, text, start, end)) return word
      slot = (slot + 1) & mask
    }
    return this.#add(slot, hash, text, start, end)
  }

  /** The text of a word. */
  text(word: number): string {
    const start = this.#start(word)
    return Buffer.from(this.#units.buffer, start * 2, (this.#ends[word]! - start) * 2).toString('utf16le')
  }

  #start(word: number): number {
    return word === 0 ? 0 : this.#ends[word - 1]!
  }

  #equals(word: number, text: string, start: number, end: number): boolean {
    const from = this.#start(word)
    if (this.#ends[word]! - from !== end - start) return false
    for (let i = start, at = from; i < end; i++, at++) if (this.#units[at] !== text.charCodeAt(i)) return false
    return true
  }

  #add(slot: number, hash: number, text: string, start: number, end: number): number {
    const word = this.#size++
    if (word === this.#ends.length) {
      this.#ends = grown(this.#ends, new Float64Array(word * 2))
      this.#hashes = grown(this.#hashes, new Int32Array(word * 2))
    }
    const from = this.#start(word)
    const to = from + end - start
    if (to > this.#units.length) this.#units = grown(this.#units, new Uint16Array(Math.max(to, this.#units.length * 2)))
    for (let i = start, at = from; i < end; i++, at++) this.#units[at] = text.charCodeAt(i)
    this.#ends[word] = to
    this.#hashes[word] = hash
    this.#slots[slot] = word
    if (this.#size * 2 > this.#slots.length) this.#rehash()
    return word
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1)
    const mask = slots.length - 1
    for (let word = 0; word < this.#size; word++) {
      let slot = this.#hashes[word]! & mask
      while (slots[slot]! >= 0) slot = (slot + 1) & mask
      slots[slot] = word
    }
    this.#slots = slots
  }
}

function grown<T extends Float64Array | Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from)
  return to
}
