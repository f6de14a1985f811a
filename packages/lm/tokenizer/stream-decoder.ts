/** Turns tokens into text as they come; gives whole characters only. */
export interface StreamDecoder {
  /** The text that is certain once this token is there; often '' in the middle of a character. */
  push(id: number): string
  /** What is left: an unfinished character gives U+FFFD. The decoder is fresh afterwards. */
  end(): string
}

/** Decodes tokens that are bytes: UTF-8 across token borders. */
export class ByteStreamDecoder implements StreamDecoder {
  readonly #bytes: (id: number) => Uint8Array
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true })

  /** @param bytes the bytes of a token, none for tokens to leave out */
  constructor(bytes: (id: number) => Uint8Array) {
    this.#bytes = bytes
  }

  push(id: number): string {
    return this.#text.decode(this.#bytes(id), { stream: true })
  }

  end(): string {
    return this.#text.decode()
  }
}

/**
 * For decoders that look at neighbouring tokens: decodes the last few tokens with and without the new one and gives the difference,
 * held back while it ends within a character (the "prefix offset" way of text-generation-inference).
 */
export class WindowStreamDecoder implements StreamDecoder {
  readonly #decode: (ids: readonly number[]) => string
  #ids: number[] = []
  /** The tokens before this place are given out already; they stay as context. */
  #given = 0

  constructor(decode: (ids: readonly number[]) => string) {
    this.#decode = decode
  }

  push(id: number): string {
    this.#ids.push(id)
    const whole = this.#decode(this.#ids)
    // At most four tokens make one character; more that still end in U+FFFD really mean U+FFFD.
    if (whole.endsWith('\ufffd') && this.#ids.length - this.#given < 4) return ''
    return this.#emit(whole)
  }

  end(): string {
    const rest = this.#emit(this.#decode(this.#ids))
    this.#ids = []
    this.#given = 0
    return rest
  }

  #emit(whole: string): string {
    const before = this.#decode(this.#ids.slice(0, this.#given))
    // The new tokens become the context of the next ones.
    this.#ids = this.#ids.slice(this.#given)
    this.#given = this.#ids.length
    return whole.slice(before.length)
  }
}
