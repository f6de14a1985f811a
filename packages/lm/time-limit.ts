import { type Context, createContext, Script } from 'node:vm'

/** Runs what others wrote (patterns, templates), so that it cannot hold this thread for ever. A call costs about 0.3 ms. */
export class TimeLimit {
  readonly #script = new Script('run()')
  readonly #globals: { run?: () => unknown } = {}
  #context: Context | undefined

  /** What `run` gives; throws what it throws, and `late()` when it takes longer than so many milliseconds. */
  within<T>(milliseconds: number, run: () => T, late: (cause: unknown) => Error): T {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined
    this.#globals.run = () => {
      try {
        outcome = { value: run() }
      } catch (error) {
        outcome = { error }
      }
    }
    this.#context ??= createContext(this.#globals)
    try {
      this.#script.runInContext(this.#context, { timeout: Math.ceil(milliseconds) })
    } catch (cause) {
      throw late(cause)
    }
    if ('error' in outcome!) throw outcome.error
    return outcome!.value
  }
}
