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

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(name: string, payload: unknown): void {
    const at = this.#next % this.#capacity
    this.#names[at] = name
    this.#payloads[at] = payload
    this.#times[at] = Date.now()
    this.#next++
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
