/**
 * Watches streamed text for stop strings, which may be split over pieces: holds back just enough text that no part of a
 * stop string is ever emitted.
 */
export class StopStrings {
  readonly #stops: readonly string[]
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop.length > 0)
  }

  /** Text that is safe to emit now, and whether a stop string has been found (it and what follows are dropped). */
  push(piece: string): { text: string; stopped: boolean } {
    this.#held += piece
    const hits = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((index) => index >= 0)
    if (hits.length > 0) {
      const text = this.#held.slice(0, Math.min(...hits))
      this.#held = ''
      return { text, stopped: true }
    }
    const keep = Math.max(0, ...this.#stops.map((stop) => overlap(this.#held, stop)))
    const text = this.#held.slice(0, this.#held.length - keep)
    this.#held = this.#held.slice(this.#held.length - keep)
    return { text, stopped: false }
  }

  /** What was held back, when the text ends without a stop string. */
  flush(): string {
    const text = this.#held
    this.#held = ''
    return text
  }
}

/** Length of the longest proper prefix of `stop` that `text` ends with. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length
  return 0
}
