/** Hands events to any number of readers, each from the moment it begins to read until the end. */
export class EventFeed<T> {
  readonly #readers = new Set<Reader<T>>()
  #ended = false

  push(event: T): void {
    for (const reader of this.#readers) {
      reader.queue.push(event)
      reader.wake()
    }
  }

  end(): void {
    this.#ended = true
    for (const reader of this.#readers) reader.wake()
  }

  /** Reading begins with this call, not with the first step of the loop. */
  read(): AsyncGenerator<T, void> {
    const reader: Reader<T> = { queue: [], wake: () => undefined }
    this.#readers.add(reader)
    return this.#drain(reader)
  }

  async *#drain(reader: Reader<T>): AsyncGenerator<T, void> {
    try {
      for (;;) {
        while (reader.queue.length > 0) yield reader.queue.shift()!
        if (this.#ended) return
        await new Promise<void>((resolve) => {
          reader.wake = resolve
        })
      }
    } finally {
      this.#readers.delete(reader)
    }
  }
}

interface Reader<T> {
  readonly queue: T[]
  wake: () => void
}
