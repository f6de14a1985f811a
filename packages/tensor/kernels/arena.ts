import { totalMemory } from '#platform'
import { type ArrayTypes, type DType, dtypes, type HostTensor, type Shape, sizeOf, type TypedArray } from '../dtype.js'
import { TensorError } from '../errors.js'
import { type SharedMemory, webAssembly } from './webassembly.js'

const pageBytes = 65536
const alignment = 64

export interface SharedArenaOptions {
  /** Most bytes the arena may hold, over all shards. Default: the machine's memory. */
  readonly bytes?: number
  /** Most bytes of one shard, and so of one tensor. Default and upper limit 1 GiB. */
  readonly shardBytes?: number
}

/** A tensor that native code, kernels and all threads read and write in place. */
export interface SharedTensor<D extends DType = DType> extends HostTensor {
  readonly dtype: D
  readonly data: ArrayTypes[D]
  /** Index of the shard that holds it, and where in the shard it starts: a multiple of 64 bytes. */
  readonly shard: number
  readonly byteOffset: number
  /** The shard's memory. */
  readonly memory: SharedMemory
}

interface Shard {
  readonly memory: SharedMemory
  used: number
}

/**
 * Memory for tensors in shards: shared WebAssembly memories that grow as they fill. A tensor lies within one shard, zeroed.
 * Space comes back all at once, when the arena is disposed of and nothing refers to its tensors any more.
 */
export class SharedArena {
  readonly #limit: number
  readonly #shardBytes: number
  readonly #shards: Shard[] = []
  #disposed = false

  constructor({ bytes = totalMemory(), shardBytes = 2 ** 30 }: SharedArenaOptions = {}) {
    this.#limit = bytes
    this.#shardBytes = Math.min(shardBytes, 2 ** 30)
  }

  /** Bytes taken by tensors, alignment included. */
  get usedBytes(): number {
    return this.#shards.reduce((sum, { used }) => sum + used, 0)
  }

  /** @throws TensorError OUT_OF_MEMORY */
  allocate<D extends DType>(dtype: D, shape: Shape): SharedTensor<D> {
    if (this.#disposed) throw new TensorError('OUT_OF_MEMORY', 'The arena is disposed of: make a new one to allocate from.')
    const size = sizeOf(shape)
    const bytes = Math.ceil((size * dtypes[dtype].bytes) / alignment) * alignment
    const shard = this.#shardWith(bytes, `${dtype} [${shape.join(', ')}]`)
    const { memory, used: byteOffset } = this.#shards[shard]!
    this.#shards[shard]!.used += bytes
    const View: new (buffer: SharedArrayBuffer, byteOffset: number, length: number) => TypedArray = dtypes[dtype].array
    const data = new View(memory.buffer, byteOffset, size) as ArrayTypes[D]
    return { dtype, shape, data, shard, byteOffset, memory }
  }

  /** Idempotent. Tensors stay valid for those who still hold them. */
  dispose(): void {
    this.#disposed = true
    this.#shards.length = 0
  }

  /** Index of a shard with room for `bytes`, grown to hold them. */
  #shardWith(bytes: number, what: string): number {
    const left = this.#limit - this.usedBytes
    if (bytes > left)
      throw new TensorError('OUT_OF_MEMORY', `${what} takes ${bytes} bytes; the arena of ${this.#limit} has ${left} left.`)
    if (bytes > this.#shardBytes)
      throw new TensorError(
        'OUT_OF_MEMORY',
        `${what} takes ${bytes} bytes; a tensor must fit one shard of ${this.#shardBytes}: split it.`,
      )
    try {
      let index = this.#shards.findIndex(({ used }) => used + bytes <= this.#shardBytes)
      if (index < 0) {
        const maximum = Math.ceil(this.#shardBytes / pageBytes)
        index = this.#shards.push({ memory: new webAssembly.Memory({ initial: 1, maximum, shared: true }), used: 0 }) - 1
      }
      const { memory, used } = this.#shards[index]!
      const missing = used + bytes - memory.buffer.byteLength
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes))
      return index
    } catch (cause) {
      throw new TensorError('OUT_OF_MEMORY', `The system has no ${bytes} bytes for ${what}, with ${left} left in the arena.`, {
        cause,
      })
    }
  }
}
