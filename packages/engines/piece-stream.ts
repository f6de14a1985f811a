import type { Completion, GenerationStream } from '@enigma/contracts'

/**
 * Text as it is generated. The generation does not wait for its reader: pieces are kept, so a slow reader holds up nobody and
 * everyone who iterates gets the whole text. Leaving a loop early ends the generation.
 */
export class PieceStream implements GenerationStream {
  readonly result: Promise<Completion>
  readonly #pieces: string[] = []
  readonly #controller: AbortController
  #ended = false
  #readers: (() => void)[] = []

  /**
   * @param generate makes the text, one `push` a piece
   * @param controller what ends it; aborted when a reader leaves the loop
   */
  constructor(generate: (push: (piece: string) => void) => Promise<Completion>, controller: AbortController) {
    this.#controller = controller
    this.result = generate((piece) => {
      this.#pieces.push(piece)
      this.#wake()
    }).finally(() => {
      this.#ended = true
      this.#wake()
    })
    // Who only iterates gets the error there; who does neither must not bring the process down.
    this.result.catch(() => undefined)
  }

  /** Why it was ended from outside; undefined if it was not. */
  get left(): unknown {
    return this.#controller.signal.reason
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void> {
    let completed = false
    try {
      for (let next = 0; ; ) {
        while (next < this.#pieces.length) yield this.#pieces[next++]!
        if (this.#ended) break
        await new Promise<void>((resolve) => this.#readers.push(resolve))
      }
      completed = true
      await this.result
    } finally {
      if (!completed) this.#controller.abort()
    }
  }

  #wake(): void {
    for (const resolve of this.#readers.splice(0)) resolve()
  }
}
