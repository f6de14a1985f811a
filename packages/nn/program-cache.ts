/** Programs kept for different shapes; beyond, the one unused for longest is released. */
const kept = 8

/** Compiled programs by key. A compilation that fails is forgotten; one under way is waited for, not begun again. */
export class ProgramCache<T> {
  readonly #free: (program: T) => void
  readonly #programs = new Map<string, Promise<T>>()

  /** @param free gives a program's native memory back */
  constructor(free: (program: T) => void) {
    this.#free = free
  }

  get(key: string, compile: () => Promise<T>): Promise<T> {
    const known = this.#programs.get(key)
    const program = known ?? compile()
    // A map keeps the order of insertion: what was used last stands last.
    this.#programs.delete(key)
    this.#programs.set(key, program)
    if (known) return known
    program.catch(() => this.#programs.delete(key))
    const [oldest] = this.#programs
    if (this.#programs.size > kept && oldest) {
      this.#programs.delete(oldest[0])
      oldest[1].then(this.#free, () => undefined)
    }
    return program
  }

  /** Frees all programs; the next `get` compiles again. */
  async release(): Promise<void> {
    const programs = [...this.#programs.values()]
    this.#programs.clear()
    for (const program of await Promise.allSettled(programs)) if (program.status === 'fulfilled') this.#free(program.value)
  }
}
