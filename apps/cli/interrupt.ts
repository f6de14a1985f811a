import { constants } from 'node:os'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Turns Ctrl-C (and a polite kill) into an `AbortSignal`; the second one ends the process at once. Dispose it when the work is done. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController()
  #code: number | undefined

  constructor() {
    for (const name of signals) process.on(name, this.#receive)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** 128 + the number of the signal that came, as shells have it; undefined if none did. */
  get exitCode(): number | undefined {
    return this.#code
  }

  readonly #receive = (name: NodeJS.Signals): void => {
    const code = 128 + constants.signals[name]
    if (this.#code !== undefined) process.exit(code)
    this.#code = code
    this.#controller.abort()
  };

  [Symbol.dispose](): void {
    for (const name of signals) process.off(name, this.#receive)
  }
}
