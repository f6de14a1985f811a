import type { Batch } from '../compile-step.js'
import { NnError } from '../errors.js'
import { Random } from '../init/index.js'
import { optionsOf } from '../options.js'
import type { Dataset } from './dataset.js'
import { MapWorkers } from './map-workers.js'

/** Where in the run a batch stands. */
export interface BatchPosition {
  readonly epoch: number
  /** Of the batch in its epoch. */
  readonly index: number
  /** The same for the same loader seed, epoch and index: what `map` may seed its random numbers with. */
  readonly seed: number
}

/** Changes a batch: augmentation, normalisation, tokenization. */
export type BatchMap = (batch: Batch, position: BatchPosition) => Batch | Promise<Batch>

export interface DataLoaderOptions {
  /** Examples of a batch. Default 1. */
  readonly batchSize?: number
  /** A new order in every epoch. Default false: the order of the data set. */
  readonly shuffle?: boolean
  /** Of the order. The same seed gives the same batches. Default 0. */
  readonly seed?: number
  /** Leave out the last batch of an epoch if it is smaller. Default false. */
  readonly dropLast?: boolean
  /** Applied to every batch: a function, or the URL of a module whose default export is one (needed for `workers`). */
  readonly map?: BatchMap | URL
  /** Threads that run `map`. Default 0: here. */
  readonly workers?: number
  /** Batches made ahead of the one in use. Default 2, at least one for each worker. */
  readonly prefetch?: number
}

/** Batches of a data set, epoch after epoch. Each `for await` over it is the next epoch; `epoch(n)` gives one by number. */
export class DataLoader implements AsyncIterable<Batch> {
  readonly dataset: Dataset
  readonly #options: DataLoaderOptions
  readonly #batchSize: number
  #workers: MapWorkers | undefined
  #map: Promise<BatchMap> | undefined
  #epoch = 0

  /** @throws NnError INVALID_ARGUMENT */
  constructor(dataset: Dataset, options: DataLoaderOptions = {}) {
    const { batchSize = 1, workers = 0, prefetch = 2, map } = optionsOf('DataLoader', options, 'batchSize: 32')
    for (const [name, value, least] of [
      ['batchSize', batchSize, 1],
      ['workers', workers, 0],
      ['prefetch', prefetch, 0],
    ] as const)
      if (!Number.isInteger(value) || value < least)
        throw new NnError('INVALID_ARGUMENT', `${name} must be a whole number of at least ${least}, got ${value}.`)
    if (workers > 0 && !(map instanceof URL))
      throw new NnError(
        'INVALID_ARGUMENT',
        "Workers need `map` as the URL of a module with a default export, such as new URL('./augment.js', import.meta.url).",
      )
    this.dataset = dataset
    this.#options = options
    this.#batchSize = batchSize
  }

  /** Batches of an epoch. */
  get length(): number {
    const { length } = this.dataset
    return this.#options.dropLast ? Math.floor(length / this.#batchSize) : Math.ceil(length / this.#batchSize)
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch> {
    return this.epoch(this.#epoch++)
  }

  /** The batches of epoch `epoch`, from number `from` on: where a resumed run goes on. */
  async *epoch(epoch: number, from = 0): AsyncGenerator<Batch> {
    const { seed = 0, workers = 0, prefetch = 2 } = this.#options
    const order = this.#order(epoch)
    const map = await this.#mapping()
    const make = async (index: number): Promise<Batch> => {
      const indices = order.slice(index * this.#batchSize, (index + 1) * this.#batchSize)
      const batch = await this.dataset.batch(indices)
      return map
        ? map(batch, { epoch, index, seed: new Random(seed ^ (epoch * 0x9e3779b1) ^ (index * 0x85ebca6b)).integer() })
        : batch
    }
    const ahead = Math.max(prefetch, workers)
    const made: Promise<Batch>[] = []
    for (let next = from, index = from; index < this.length; index++) {
      for (; next < this.length && next <= index + ahead; next++) {
        const batch = make(next)
        // It is awaited in its turn; until then a failure must not count as unhandled.
        batch.catch(() => undefined)
        made.push(batch)
      }
      yield await made.shift()!
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#workers?.close()
    this.#workers = undefined
    this.#map = undefined
  }

  #order(epoch: number): number[] {
    const order = Array.from({ length: this.dataset.length }, (_, index) => index)
    if (!this.#options.shuffle) return order
    const random = new Random((this.#options.seed ?? 0) + epoch * 0x9e3779b1)
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(random.uniform() * (last + 1))
      const swapped = order[last]!
      order[last] = order[other]!
      order[other] = swapped
    }
    return order
  }

  async #mapping(): Promise<BatchMap | undefined> {
    const { map, workers = 0 } = this.#options
    if (!(map instanceof URL)) return map
    if (workers > 0) {
      this.#workers ??= new MapWorkers(map, workers)
      const pool = this.#workers
      return (batch, position) => pool.map(batch, position)
    }
    this.#map ??= importMap(map)
    return this.#map
  }
}

/** @throws NnError INVALID_ARGUMENT when the module has no function as default export */
export async function importMap(url: URL): Promise<BatchMap> {
  const module = (await import(url.href)) as { readonly default?: unknown }
  if (typeof module.default !== 'function')
    throw new NnError('INVALID_ARGUMENT', `${url.href} has no function as default export.`)
  return module.default as BatchMap
}
