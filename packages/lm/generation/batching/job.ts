import type { GenerationResult } from '../generation-options.js'
import type { SequenceGeneration } from '../sequence-generation.js'

/** One text on its way through the batch, and its reader's end: pieces are kept, so that a slow reader holds up nobody. */
export class Job {
  readonly sequence: SequenceGeneration
  readonly #pieces: string[] = []
  #cached = 0
  #firstLogits: number | undefined
  #result: GenerationResult | undefined
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(sequence: SequenceGeneration) {
    this.sequence = sequence
  }

  get ended(): boolean {
    return this.#result !== undefined || this.#failure !== undefined
  }

  /** Takes a slot. @param cached tokens of its prompt that need not be read */
  begin(cached: number): void {
    this.#cached = cached
  }

  /** Chooses the next token. @param logits [vocabulary] after the last one; changed in place */
  step(logits: Float32Array): void {
    this.#firstLogits ??= performance.now()
    try {
      this.#push(this.sequence.step(logits))
      if (this.sequence.finished) this.#end()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Ends the text with what there is. */
  abort(): void {
    if (this.ended) return
    this.#push(this.sequence.finish('abort'))
    this.#end()
  }

  fail(error: unknown): void {
    if (this.ended) return
    this.#failure = { error }
    this.#wake?.()
  }

  /** The pieces of the text; the generator's return value is the result. For one reader. */
  async *stream(): AsyncGenerator<string, GenerationResult> {
    for (;;) {
      while (this.#pieces.length > 0) yield this.#pieces.shift()!
      if (this.#failure) throw this.#failure.error
      if (this.#result) return this.#result
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #push(piece: string): void {
    if (!piece) return
    this.#pieces.push(piece)
    this.#wake?.()
  }

  #end(): void {
    const now = performance.now()
    this.#result = this.sequence.result((now - (this.#firstLogits ?? now)) / 1000, this.#cached)
    this.#wake?.()
  }
}
