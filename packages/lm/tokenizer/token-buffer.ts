/** Token ids, appended: what `encodeInto` writes to. Reusable, so that encoding much text makes no garbage. */
export class TokenBuffer {
  #ids = new Uint32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A view of the ids; valid until the next `push` or `clear`. */
  get ids(): Uint32Array {
    return this.#ids.subarray(0, this.#length)
  }

  push(id: number): void {
    if (this.#length === this.#ids.length) {
      const ids = new Uint32Array(this.#length * 2)
      ids.set(this.#ids)
      this.#ids = ids
    }
    this.#ids[this.#length++] = id
  }

  clear(): void {
    this.#length = 0
  }
}
