import { ModuleError, messageOf } from '../errors.js'
import { isThenable } from './thenable.js'

// What a module has registered, and how to undo it: labelled disposers, run last in first out, one after the other.

/** Undoes one registration. */
export type Disposer = () => unknown

/** One registration and how it is undone. A service slot is one itself: most modules register nothing else. */
interface Effect {
  readonly label: string
  readonly undone: boolean
  undo(): unknown
}

class Registration implements Effect {
  readonly label: string
  #dispose: Disposer | undefined

  constructor(label: string, dispose: Disposer) {
    this.label = label
    this.#dispose = dispose
  }

  get undone(): boolean {
    return this.#dispose === undefined
  }

  undo(): unknown {
    const run = this.#dispose
    this.#dispose = undefined
    return run?.()
  }
}

export class Scope implements AsyncDisposable {
  readonly #owner: string
  /** Milliseconds each asynchronous disposer may take. */
  readonly #deadline: number
  /** Null when it is closed. */
  #effects: Effect[] | null | undefined

  constructor(owner: string, deadline = 10_000) {
    this.#owner = owner
    this.#deadline = deadline
  }

  get closed(): boolean {
    return this.#effects === null
  }

  /** Labels of what is registered, oldest first. */
  get labels(): string[] {
    return (this.#effects ?? []).filter((effect) => !effect.undone).map((effect) => effect.label)
  }

  /** Registers what undoes itself. @throws ModuleError `CONTEXT_CLOSED` when the scope is closed: late effects are refused */
  push(effect: Effect): void {
    if (this.#effects === null) throw closedError(this.#owner, effect.label)
    // A literal of one holds one; an empty one that is pushed to holds seventeen.
    if (this.#effects === undefined) this.#effects = [effect]
    else this.#effects.push(effect)
  }

  /** Registers a disposer. Returns a function that runs it now and forgets it; a second call does nothing. */
  add(label: string, dispose: Disposer): () => unknown {
    const effect = new Registration(label, dispose)
    this.push(effect)
    return () => {
      if (effect.undone) return undefined
      const answer = effect.undo()
      this.#forget()
      return answer
    }
  }

  /**
   * Runs every disposer, newest first, each after the one before has ended.
   * @throws ModuleError `SCOPE_FAILED` whose cause is an AggregateError of all failures; all disposers have run by then
   */
  close(): Promise<void> | undefined {
    const effects = this.#effects
    this.#effects = null
    return effects ? this.#run(effects) : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #run(effects: Effect[]): Promise<void> | undefined {
    const errors: unknown[] = []
    // Synchronous disposers are the rule: no promise is made until the first asynchronous one.
    while (effects.length > 0) {
      const pending = this.#undo(effects.pop()!, errors)
      if (pending !== undefined) return this.#runAsync(pending, effects, errors)
    }
    if (errors.length > 0) return Promise.reject(this.#failure(errors))
    return undefined
  }

  async #runAsync(first: Promise<void>, effects: Effect[], errors: unknown[]): Promise<void> {
    await first
    while (effects.length > 0) await this.#undo(effects.pop()!, errors)
    if (errors.length > 0) throw this.#failure(errors)
  }

  #undo(effect: Effect, errors: unknown[]): Promise<void> | undefined {
    if (effect.undone) return undefined
    try {
      const result = effect.undo()
      if (isThenable(result)) return this.#within(effect.label, result).catch((error: unknown) => void errors.push(error))
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

  // The newest goes at once, others when half of the list is empty: removing stays cheap.
  #forget(): void {
    const effects = this.#effects
    if (!effects) return
    while (effects.length > 0 && effects[effects.length - 1]!.undone) effects.pop()
    if (effects.length <= 32) return
    const kept = effects.filter((effect) => !effect.undone)
    if (kept.length * 2 <= effects.length) this.#effects = kept
  }
}

/** The error for an effect that comes after the end. */
export function closedError(module: string, what: string): ModuleError {
  const message = `Module '${module}' is no longer loaded: '${what}' is refused. Register effects before unload, and stop work when ctx.signal aborts.`
  return new ModuleError('CONTEXT_CLOSED', message, { module })
}
