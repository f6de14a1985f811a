import type { LlamaSequence } from './llama-library.js'

/** Lends sequences: to whoever comes first, the one that knows most of the text. */
export class SequencePool {
  readonly #free: { readonly sequence: LlamaSequence; known: readonly number[] }[]
  readonly #waiting: (() => void)[] = []

  constructor(sequences: readonly LlamaSequence[]) {
    this.#free = sequences.map((sequence) => ({ sequence, known: [] }))
  }

  /** @param work gives the tokens that the sequence knows in the end */
  async lend<T>(
    prompt: readonly number[],
    work: (sequence: LlamaSequence) => Promise<{ known: readonly number[]; result: T }>,
  ): Promise<T> {
    while (this.#free.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const best = this.#free.reduce((one, other) => (shared(other.known, prompt) > shared(one.known, prompt) ? other : one))
    this.#free.splice(this.#free.indexOf(best), 1)
    best.known = []
    try {
      const { known, result } = await work(best.sequence)
      best.known = known
      return result
    } finally {
      this.#free.push(best)
      this.#waiting.shift()?.()
    }
  }
}

/** Length of the beginning that two texts have in common. */
function shared(one: readonly number[], other: readonly number[]): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}
