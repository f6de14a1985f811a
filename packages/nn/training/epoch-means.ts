/** Sums as they are kept in a checkpoint. */
export interface EpochSums {
  readonly examples: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

/** Means of loss and metrics over the examples of an epoch so far. */
export class EpochMeans {
  #examples: number
  #loss: number
  readonly #metrics: Record<string, number>

  constructor({ examples, loss, metrics }: EpochSums = { examples: 0, loss: 0, metrics: {} }) {
    this.#examples = examples
    this.#loss = loss
    this.#metrics = { ...metrics }
  }

  get state(): EpochSums {
    return { examples: this.#examples, loss: this.#loss, metrics: this.#metrics }
  }

  add(examples: number, loss: number, metrics: Readonly<Record<string, number>>): void {
    this.#examples += examples
    this.#loss += loss * examples
    for (const [name, value] of Object.entries(metrics)) this.#metrics[name] = (this.#metrics[name] ?? 0) + value * examples
  }

  means(): { readonly loss: number; readonly metrics: Record<string, number> } {
    const entries = Object.entries(this.#metrics).map(([name, sum]) => [name, sum / this.#examples])
    return { loss: this.#loss / this.#examples, metrics: Object.fromEntries(entries) }
  }
}
