import { setTimeout as delay } from 'node:timers/promises'

/**
 * Turns changes into reloads: a module is reloaded once it has been quiet for `quiet` milliseconds, and again if it changed
 * while it was reloaded. No change is lost.
 */
export class ReloadQueue {
  readonly #reload: (id: string) => Promise<void>
  readonly #quiet: number
  /** When each module with changes that no reload has seen last changed. */
  readonly #changed = new Map<string, number>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  /** @param reload must not reject: it tells of a failure itself */
  constructor(reload: (id: string) => Promise<void>, quiet: number) {
    this.#reload = reload
    this.#quiet = quiet
  }

  changed(id: string): void {
    if (this.#closing.signal.aborted) return
    this.#changed.set(id, performance.now())
    if (!this.#running.has(id)) this.#running.set(id, this.#run(id))
  }

  /** Takes no more changes, and waits for the reloads that run. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running.values())
  }

  async #run(id: string): Promise<void> {
    const { signal } = this.#closing
    for (let at = this.#changed.get(id); at !== undefined && !signal.aborted; at = this.#changed.get(id)) {
      const left = at + this.#quiet - performance.now()
      if (left > 0) {
        await delay(left, undefined, { signal }).catch(() => undefined)
        continue
      }
      // Before the reload, so that what changes from here on counts anew.
      this.#changed.delete(id)
      await this.#reload(id)
    }
    this.#running.delete(id)
  }
}
