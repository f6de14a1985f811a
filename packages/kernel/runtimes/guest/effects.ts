import { closedError, type Disposer } from '../../lifecycle/scope.js'
import type { Peer } from '../wire/peer.js'

/**
 * What a module registers from here. The host keeps the list, in its own scope: order, deadlines and labels are one for all
 * modules; it asks back when an effect is to be undone.
 */
export class GuestEffects {
  readonly #id: string
  readonly #peer: Peer
  readonly #signal: AbortSignal
  readonly #disposers = new Map<number, { readonly label: string; readonly dispose: Disposer }>()
  readonly #underWay = new Set<Promise<unknown>>()
  #operations = 0
  #next = 1

  constructor(id: string, peer: Peer, signal: AbortSignal) {
    this.#id = id
    this.#peer = peer
    this.#signal = signal
  }

  get labels(): string[] {
    return [...this.#disposers.values()].map(({ label }) => label)
  }

  /** Returns a function that undoes it now. @throws ModuleError `CONTEXT_CLOSED` */
  add(label: string, dispose: Disposer): () => unknown {
    if (this.#signal.aborted) throw closedError(this.#id, label)
    const effect = this.#next++
    this.#disposers.set(effect, { label, dispose })
    // Refused by the host (the module is being unloaded): undone here at once.
    this.ask('effect', { effect, label }, () => this.undo(effect))
    return () => {
      const result = this.undo(effect)
      this.#peer.notify('undone', { effect })
      return result
    }
  }

  undo(effect: number): unknown {
    const known = this.#disposers.get(effect)
    this.#disposers.delete(effect)
    return known?.dispose()
  }

  /**
   * Asks the host for something the module takes for granted. An operation under way ends only when it is answered, and fails
   * with a refusal; later on a refusal is told to `refused`.
   */
  ask(method: string, params: Readonly<Record<string, unknown>>, refused: (error: unknown) => void = () => undefined): void {
    const answer = this.#peer.request(method, params)
    if (this.#operations > 0) this.#underWay.add(answer)
    answer.catch(refused)
  }

  /** Runs an operation of the module. @throws what it throws, or the first refusal */
  async during(run: () => unknown): Promise<unknown> {
    this.#operations++
    try {
      const result = await run()
      while (this.#underWay.size > 0) {
        const batch = [...this.#underWay]
        this.#underWay.clear()
        await Promise.all(batch)
      }
      return result
    } finally {
      this.#operations--
    }
  }
}
