// The last events, for the timeline: a ring in parallel arrays, so that remembering an event allocates nothing.

export interface EventRecord {
  readonly name: string
  readonly payload: unknown
  /** Milliseconds since the epoch. */
  readonly time: number
}

const settled = Promise.resolve()

/** A power of two: the place in the ring is a mask away. */
const capacity = 4096

export class EventHistory {
  readonly #names = new Array<string>(capacity).fill('')
  readonly #payloads = new Array<unknown>(capacity).fill(undefined)
  readonly #times = new Float64Array(capacity)
  #next = 0
  #now = 0
  #left = 0
  #expiring = false
  readonly #expire = () => {
    this.#left = 0
    this.#expiring = false
  }

  add(name: string, payload: unknown): void {
    if (this.#left-- <= 0) this.#readClock()
    const at = this.#next++ & (capacity - 1)
    this.#names[at] = name
    this.#payloads[at] = payload
    this.#times[at] = this.#now
  }

  // Asking for the time costs half of an emit. Events of one synchronous run (64 of them at most) share the time of the first.
  #readClock(): void {
    this.#left = 63
    this.#now = Date.now()
    if (this.#expiring) return
    this.#expiring = true
    // Node's `queueMicrotask` makes an asynchronous resource each time; this does not.
    void settled.then(this.#expire)
  }

  list(matches: (name: string) => boolean): EventRecord[] {
    const found: EventRecord[] = []
    for (let i = Math.max(0, this.#next - capacity); i < this.#next; i++) {
      const at = i & (capacity - 1)
      const name = this.#names[at]!
      if (matches(name)) found.push({ name, payload: this.#payloads[at], time: this.#times[at]! })
    }
    return found
  }
}
