import { ModuleError, messageOf } from '../errors.js'

// What a module has registered, and how to undo it: labelled disposers, run last in first out, one after the other.

/** Undoes one registration. */
export type Disposer = () => unknown

interface Entry {
  readonly label: string
  dispose: Disposer | undefined
}

export class Scope implements AsyncDisposable {
  readonly #owner: string
  /** Milliseconds each asynchronous disposer may take. */
  readonly #deadline: number
  #entries: Entry[] | undefined
  #closed = false

  constructor(owner: string, deadline = 10_000) {
    this.#owner = owner
    this.#deadline = deadline
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Labels of what is registered, oldest first. */
  get labels(): string[] {
    return (this.#entries ?? []).filter((entry) => entry.dispose !== undefined).map((entry) => entry.label)
  }

  /**
   * Registers a disposer. Returns a function that runs it now and forgets it; a second call does nothing.
   * @throws ModuleError `CONTEXT_CLOSED` when the scope is closed: late effects are refused
   */
  add(label: string, dispose: Disposer): () => unknown {
    if (this.#closed) throw closedError(this.#owner, label)
    const entries = (this.#entries ??= [])
    const entry: Entry = { label, dispose }
    entries.push(entry)
    return () => {
      const run = entry.dispose
      if (run === undefined) return undefined
      entry.dispose = undefined
      // The newest goes at once, others when the scope closes or half of the list is empty: removing stays cheap.
      while (entries.length > 0 && entries[entries.length - 1]!.dispose === undefined) entries.pop()
      if (entries.length > 32) this.#compact()
      return run()
    }
  }

  /**
   * Runs every disposer, newest first, each after the one before has ended.
   * @throws ModuleError `SCOPE_FAILED` whose cause is an AggregateError of all failures; all disposers have run by then
   */
  close(): Promise<void> | undefined {
    if (this.#closed) return undefined
    this.#closed = true
    if (this.#entries === undefined) return undefined
    const entries = this.#entries
    this.#entries = undefined
    return this.#run(entries)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #run(entries: Entry[]): Promise<void> | undefined {
    const errors: unknown[] = []
    // Synchronous disposers are the rule: no promise is made until the first asynchronous one.
    while (entries.length > 0) {
      const pending = this.#dispose(entries.pop()!, errors)
      if (pending !== undefined) return this.#runAsync(pending, entries, errors)
    }
    if (errors.length > 0) return Promise.reject(this.#failure(errors))
    return undefined
  }

  async #runAsync(first: Promise<void>, entries: Entry[], errors: unknown[]): Promise<void> {
    await first
    while (entries.length > 0) await this.#dispose(entries.pop()!, errors)
    if (errors.length > 0) throw this.#failure(errors)
  }

  #dispose(entry: Entry, errors: unknown[]): Promise<void> | undefined {
    const run = entry.dispose
    if (run === undefined) return undefined
    entry.dispose = undefined
    try {
      const result = run()
      if (isThenable(result)) return this.#within(entry.label, result).catch((error: unknown) => void errors.push(error))
    } catch (cause) {
      errors.push(cause)
    }
    return undefined
  }

  #within(label: string, result: PromiseLike<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new ModuleError('TIMEOUT', `'${label}' of '${this.#owner}' was not undone in ${this.#deadline} ms.`, {
            module: this.#owner,
          }),
        )
      }, this.#deadline)
      result.then(
        () => {
          clearTimeout(timer)
          resolve()
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error as Error)
        },
      )
    })
  }

  #failure(errors: readonly unknown[]): ModuleError {
    const text = errors.map(messageOf).join('; ')
    const message = `Undoing what '${this.#owner}' had registered failed ${errors.length} time(s): ${text}`
    return new ModuleError('SCOPE_FAILED', message, { module: this.#owner, cause: new AggregateError(errors, text) })
  }

  #compact(): void {
    const entries = this.#entries
    if (entries === undefined) return
    const kept = entries.filter((entry) => entry.dispose !== undefined)
    if (kept.length * 2 > entries.length) return
    entries.length = 0
    entries.push(...kept)
  }
}

/** The error for an effect that comes after the end. */
export function closedError(module: string, what: string): ModuleError {
  const message = `Module '${module}' is no longer loaded: '${what}' is refused. Register effects before unload, and stop work when ctx.signal aborts.`
  return new ModuleError('CONTEXT_CLOSED', message, { module })
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
