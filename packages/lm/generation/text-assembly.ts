import type { StreamDecoder } from '../tokenizer/index.js'
import { StopStrings } from './stop-strings.js'

/** Turns one sequence's tokens into the text that may be shown: whole characters, and nothing of a stop string. */
export class TextAssembly {
  readonly #decoder: StreamDecoder
  readonly #stops: StopStrings
  #text = ''
  #stop: string | undefined

  constructor(decoder: StreamDecoder, stops: readonly string[] = []) {
    this.#decoder = decoder
    this.#stops = new StopStrings(stops)
  }

  /** All that was given out so far. */
  get text(): string {
    return this.#text
  }

  /** The stop string that has ended the text. */
  get stop(): string | undefined {
    return this.#stop
  }

  /** The text that is certain once this token is there; often ''. */
  push(token: number): string {
    return this.#emit(this.#decoder.push(token))
  }

  /** What was held back, once no token follows; an unfinished character gives U+FFFD. */
  end(): string {
    if (this.#stop !== undefined) return ''
    const piece = this.#emit(this.#decoder.end())
    if (this.#stop !== undefined) return piece
    const rest = this.#stops.flush()
    this.#text += rest
    return piece + rest
  }

  #emit(decoded: string): string {
    const { text, stop } = this.#stops.push(decoded)
    this.#text += text
    this.#stop = stop
    return text
  }
}
