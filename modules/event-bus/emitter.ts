import type { Emitter } from '@enigma/contracts'
import type { EventHandler, PayloadOf } from '@enigma/kernel'
import type { ListenerTable, Options, Owner } from './listener-table.js'

/** The bus as one owner sees it. With `everyone`, counts and `removeAllListeners` mean the listeners of all owners. */
export class OwnedEmitter implements Emitter {
  readonly #owner: Owner
  readonly #table: ListenerTable
  readonly #scope: Owner | undefined

  constructor(owner: Owner, table: ListenerTable, everyone: boolean) {
    this.#owner = owner
    this.#table = table
    this.#scope = everyone ? undefined : owner
  }

  emit<Name extends string>(event: Name, payload: PayloadOf<Name>): number {
    return this.#owner.events.emit(event, payload)
  }

  on<Name extends string>(event: Name, listener: EventHandler<Name>, options?: Options): () => void {
    return this.#table.add(this.#owner, event, listener, false, options)
  }

  once<Name extends string>(event: Name, listener: EventHandler<Name>, options?: Options): () => void {
    return this.#table.add(this.#owner, event, listener, true, options)
  }

  off<Name extends string>(event: Name, listener: EventHandler<Name>): boolean {
    return this.#table.remove(this.#owner, event, listener) > 0
  }

  removeAllListeners(event?: string): number {
    return this.#table.remove(this.#scope, event)
  }

  listenerCount(event?: string): number {
    return this.#table.list(this.#scope, event).length
  }
}
