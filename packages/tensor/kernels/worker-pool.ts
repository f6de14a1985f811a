import { Worker } from 'node:worker_threads'
import { TensorError } from '../errors.js'

export interface Envelope<Request> {
  readonly id: number
  readonly body: Request
}
export type Reply<Result> = { readonly id: number; readonly result: Result } | { readonly id: number; readonly error: string }

interface Pending<Result> {
  readonly resolve: (result: Result) => void
  readonly reject: (error: TensorError) => void
}

/** A worker thread that answers requests. It keeps the process alive only while a request is open, and its death fails them all. */
export class PooledWorker<Request, Result> {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending<Result>>()
  #nextId = 0
  #failure: TensorError | undefined

  constructor(file: URL, workerData: unknown) {
    this.#worker = new Worker(file, { workerData, execArgv: [], name: 'kernels' })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply<Result>) => this.#settle(reply))
    this.#worker.on('error', (cause) => this.#fail(`A kernel thread crashed: ${cause.message}. Start new workers.`, cause))
    this.#worker.on('messageerror', (cause) => this.#fail('A kernel thread sent what cannot be read. Start new workers.', cause))
    this.#worker.on('exit', (code) => this.#fail(`A kernel thread ended with code ${code}. Start new workers.`))
  }

  /** @throws TensorError KERNEL_FAILED */
  request(body: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      const id = this.#nextId++
      this.#pending.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({ id, body } satisfies Envelope<Request>)
    })
  }

  async close(): Promise<void> {
    this.#fail('The kernel workers are closed: start new ones.')
    // Who waits for the end keeps the process alive until then.
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #settle(reply: Reply<Result>): void {
    const pending = this.#pending.get(reply.id)
    // Nobody waits for it any more: the worker is being closed, and who waits for that keeps the process alive.
    if (!pending) return
    this.#pending.delete(reply.id)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('error' in reply) pending.reject(new TensorError('KERNEL_FAILED', `A kernel failed: ${reply.error}`))
    else pending.resolve(reply.result)
  }

  #fail(message: string, cause?: unknown): void {
    this.#failure ??= new TensorError('KERNEL_FAILED', message, cause === undefined ? {} : { cause })
    for (const { reject } of this.#pending.values()) reject(this.#failure)
    this.#pending.clear()
    this.#worker.unref()
  }
}
