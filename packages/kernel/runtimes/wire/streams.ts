/** Asks the other side. */
export type Request = (method: string, params: Readonly<Record<string, unknown>>) => Promise<unknown>

type Source = Iterator<unknown> | AsyncIterator<unknown>

/** The streams that the other side reads, one item for each request: a slow reader slows the writer down. */
export class GivenStreams {
  readonly #streams = new Map<number, { readonly source: Source; readonly ended: () => void }>()
  #next = 1

  give(source: Source, ended: () => void): number {
    const id = this.#next++
    this.#streams.set(id, { source, ended })
    return id
  }

  async pull(id: number): Promise<{ done: boolean; value: unknown }> {
    const given = this.#streams.get(id)
    if (given === undefined) return { done: true, value: undefined }
    let done = true
    try {
      const step = await given.source.next()
      done = step.done === true
      return { done, value: done ? undefined : step.value }
    } finally {
      if (done && this.#streams.delete(id)) given.ended()
    }
  }

  /** The reader wants no more. */
  async drop(id: number): Promise<void> {
    const given = this.#streams.get(id)
    if (given === undefined) return
    this.#streams.delete(id)
    given.ended()
    await given.source.return?.()
  }

  close(): void {
    for (const id of [...this.#streams.keys()]) this.drop(id).catch(() => undefined)
  }
}

/** A stream of the other side, read once. */
export class TakenStream implements AsyncIterableIterator<unknown> {
  readonly #request: Request
  readonly #id: number
  #ended: (() => void) | undefined

  constructor(request: Request, id: number, ended: () => void) {
    this.#request = request
    this.#id = id
    this.#ended = ended
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.#ended === undefined) return { done: true, value: undefined }
    let done = true
    try {
      const step = (await this.#request('$/next', { stream: this.#id })) as { done?: unknown; value?: unknown } | undefined
      done = step?.done !== false
      return done ? { done: true, value: undefined } : { done: false, value: step?.value }
    } finally {
      if (done) this.#end()
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    if (this.#ended !== undefined) {
      this.#end()
      await this.#request('$/return', { stream: this.#id })
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #end(): void {
    const ended = this.#ended
    this.#ended = undefined
    ended?.()
  }
}
