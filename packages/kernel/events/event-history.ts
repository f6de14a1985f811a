// The last events, for the timeline: a ring in parallel arrays, so that remembering an event allocates nothing.

export interface EventRecord {
  readonly name: string
  readonly payload: unknown
  /** Milliseconds since the epoch. */
  readonly time: number
}

export class EventHistory {
  readonly #names: string[] = []
  readonly #payloads: unknown[] = []
  readonly #times: number[] = []
  readonly #capacity: number
  #next = 0
  #now = 0
  #left = 0
  readonly #expire = () => {
    this.#left = 0
  }

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(name: string, payload: unknown): void {
    const at = this.#next % this.#capacity
    this.#names[at] = name
    this.#payloads[at] = payload
    this.#times[at] = this.#time()
    this.#next++
  }

  // Asking for the time costs half of an emit. Events of one synchronous run (64 of them at most) share the time of the first.
  #time(): number {
    if (this.#left-- > 0) return this.#now
    this.#left = 63
    this.#now = Date.now()
    queueMicrotask(this.#expire)
    return this.#now
  }

  list(matches: (name: string) => boolean): EventRecord[] {
    const found: EventRecord[] = []
    for (let i = Math.max(0, this.#next - this.#capacity); i < this.#next; i++) {
      const at = i % this.#capacity
      const name = this.#names[at]!
      if (matches(name)) found.push({ name, payload: this.#payloads[at], time: this.#times[at]! })
    }
    return found
  }
}
