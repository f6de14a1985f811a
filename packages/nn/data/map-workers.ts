import { Worker } from 'node:worker_threads'
import type { Batch } from '../compile-step.js'
import { NnError } from '../errors.js'
import type { BatchPosition } from './data-loader.js'

export interface MapRequest {
  readonly id: number
  readonly batch: Batch
  readonly position: BatchPosition
}
export type MapReply = { readonly id: number } & ({ readonly batch: Batch } | { readonly error: unknown })

interface Open {
  readonly position: BatchPosition
  readonly resolve: (batch: Batch) => void
  readonly reject: (error: NnError) => void
}

interface Thread {
  readonly worker: Worker
  readonly open: Map<number, Open>
}

/** Threads that run a data loader's `map`; each batch goes to the one with the least to do. They keep no process alive. */
export class MapWorkers {
  readonly #threads: readonly Thread[]
  #nextId = 0
  #failure: NnError | undefined

  constructor(map: URL, count: number) {
    this.#threads = Array.from({ length: count }, () => this.#start(map))
  }

  /** @throws NnError DATA_FAILED with the error of `map` as its cause */
  map(batch: Batch, position: BatchPosition): Promise<Batch> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      const thread = this.#threads.reduce((least, other) => (other.open.size < least.open.size ? other : least))
      const id = this.#nextId++
      thread.open.set(id, { position, resolve, reject })
      thread.worker.ref()
      thread.worker.postMessage({ id, batch, position } satisfies MapRequest)
    })
  }

  async close(): Promise<void> {
    this.#fail(new NnError('DATA_FAILED', 'The data loader was closed.'))
    // Who waits for the end keeps the process alive until then; that one thread has ended must not let go of the others.
    for (const { worker } of this.#threads) worker.removeAllListeners('exit').ref()
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }

  #start(map: URL): Thread {
    const worker = new Worker(new URL('./map-worker.js', import.meta.url), { workerData: map.href, execArgv: [], name: 'data' })
    worker.unref()
    const thread: Thread = { worker, open: new Map() }
    worker.on('message', (reply: MapReply) => {
      const open = thread.open.get(reply.id)
      if (!open) return
      thread.open.delete(reply.id)
      if (thread.open.size === 0) worker.unref()
      if ('batch' in reply) return open.resolve(reply.batch)
      const { epoch, index } = open.position
      const cause = reply.error
      const what = cause instanceof Error ? cause.message : String(cause)
      open.reject(new NnError('DATA_FAILED', `map failed on batch ${index} of epoch ${epoch}: ${what}`, { cause }))
    })
    worker.on('error', (cause) => this.#fail(new NnError('DATA_FAILED', `A data thread crashed: ${cause.message}`, { cause })))
    worker.on('exit', (code) => this.#fail(new NnError('DATA_FAILED', `A data thread ended with code ${code}.`)))
    return thread
  }

  #fail(error: NnError): void {
    this.#failure ??= error
    for (const { open, worker } of this.#threads) {
      for (const { reject } of open.values()) reject(this.#failure)
      open.clear()
      worker.unref()
    }
  }
}
