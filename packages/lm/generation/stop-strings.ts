import { LmError } from '../errors.js'

/**
 * Watches streamed text for stop strings, which may be split over pieces: holds back just enough text that no part of a
 * stop string is ever emitted. The one that is complete first ends the text, so that the cuts between pieces change nothing.
 */
export class StopStrings {
  readonly #stops: readonly string[]
  #held = ''

  /** @throws LmError INVALID_OPTION for what is no list of texts, and for half a character (a lone surrogate), which no text contains */
  constructor(stops: readonly string[]) {
    if (!Array.isArray(stops)) throw new LmError('INVALID_OPTION', `stop must be a list of texts, got ${JSON.stringify(stops)}`)
    for (const stop of stops) {
      if (typeof stop !== 'string' || loneSurrogate.test(stop))
        throw new LmError('INVALID_OPTION', `stop must be texts of whole characters, got ${JSON.stringify(stop)}`)
    }
    this.#stops = stops.filter((stop) => stop.length > 0)
  }

  /** Text that is safe to emit now, and the stop string that has been found, if one has (it and what follows are dropped). */
  push(piece: string): { text: string; stop: string | undefined } {
    this.#held += piece
    const hit = firstComplete(this.#held, this.#stops)
    if (hit !== undefined) {
      const text = this.#held.slice(0, hit.start)
      this.#held = ''
      return { text, stop: hit.stop }
    }
    const keep = Math.max(0, ...this.#stops.map((stop) => overlap(this.#held, stop)))
    const text = this.#held.slice(0, this.#held.length - keep)
    this.#held = this.#held.slice(this.#held.length - keep)
    return { text, stop: undefined }
  }

  /** What was held back, when the text ends without a stop string. */
  flush(): string {
    const text = this.#held
    this.#held = ''
    return text
  }
}

const loneSurrogate = /\p{Surrogate}/u

/** The stop string that ends first; of those that end together, the longest. */
function firstComplete(text: string, stops: readonly string[]): { stop: string; start: number } | undefined {
  let best: { stop: string; start: number; end: number } | undefined
  for (const stop of stops) {
    const start = text.indexOf(stop)
    const end = start + stop.length
    if (start >= 0 && (!best || end < best.end || (end === best.end && start < best.start))) best = { stop, start, end }
  }
  return best
}

/** Length of the longest proper prefix of `stop` that `text` ends with. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length
  return 0
}
