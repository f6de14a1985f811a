/** What is drawn by chance, the same for the same seed. */
export class Drawing {
  #state

  constructor(seed) {
    this.#state = seed
  }

  /** A number of [0, 1): mulberry32. */
  number() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** Whether something of this likelihood happens. */
  happens(likelihood) {
    return this.number() < likelihood
  }

  oneOf(list) {
    return list[Math.floor(this.number() * list.length)]
  }

  /** Fisher and Yates. */
  shuffled(list) {
    const order = [...list]
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(this.number() * (at + 1))
      ;[order[at], order[other]] = [order[other], order[at]]
    }
    return order
  }
}
