import { copyFilled, type Decoder, type Sequence } from './decoder.js'

/** Gives the logits [vocabulary] after a growing list of tokens. */
export interface Forward {
  /**
   * The array may be changed by the caller, and is overwritten by the next call.
   * @throws TensorError ABORTED when `signal` fires
   */
  next(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array>
  /** Another one that has seen the same tokens and goes its own way. */
  fork(): Forward
  close(): void
}

/** Feeds a sequence what it has not seen yet. */
export class CachedForward implements Forward {
  readonly #decoder: Decoder
  readonly #sequence: Sequence

  constructor(decoder: Decoder) {
    this.#decoder = decoder
    this.#sequence = decoder.start()
  }

  next(tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.#decoder.feed(this.#sequence, tokens.slice(this.#sequence.length), signal)
  }

  fork(): CachedForward {
    const copy = new CachedForward(this.#decoder)
    copyFilled(this.#sequence, copy.#sequence)
    return copy
  }

  close(): void {
    this.#sequence[Symbol.dispose]()
  }
}
