import type { CodeGeneration, Completion, GenerateOptions, GenerationStream, TextGeneration } from '@enigma/contracts'
import { EngineError } from './engine-error.js'

/** Completes code with an engine for text. */
export class CodeService implements CodeGeneration {
  readonly #text: TextGeneration
  readonly #defaults: GenerateOptions

  constructor(text: TextGeneration, defaults: Pick<GenerateOptions, 'maxTokens' | 'temperature'>) {
    this.#text = text
    this.#defaults = defaults
  }

  get model(): string {
    return this.#text.model
  }

  async complete(prefix: string, suffix = '', options: GenerateOptions = {}): Promise<Completion> {
    if (suffix === '') return this.#text.complete(prefix, this.#settings(options))
    const stream = this.stream(prefix, suffix, options)
    // A service's handle takes a stream for under way, and holds up a swap, until it is read to its end.
    const pieces = stream[Symbol.asyncIterator]()
    while (!(await pieces.next()).done);
    return stream.result
  }

  /** @throws EngineError UNSUPPORTED where the engine can never look ahead; where its model cannot, the stream ends so */
  stream(prefix: string, suffix = '', options: GenerateOptions = {}): GenerationStream {
    const settings = this.#settings(options)
    if (suffix === '') return this.#text.stream(prefix, settings)
    if (this.#text.infill) return this.#text.infill(prefix, suffix, settings)
    throw new EngineError(
      'UNSUPPORTED',
      `The engine of '${this.model}' cannot fill a gap between two texts. Ask without a suffix.`,
    )
  }

  #settings(options: GenerateOptions): GenerateOptions {
    return { ...this.#defaults, ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) }
  }
}
