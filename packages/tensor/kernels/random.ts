import { TensorError } from '../errors.js'
import { chunkElements } from './call.js'
import { type SharedMemory, type WasmInstance, type WasmModule, webAssembly } from './webassembly.js'

/** Where random numbers come from. The same three give the same numbers, in whatever pieces they are asked for. */
export interface RandomPosition {
  readonly seed: number | bigint
  /** Independent sequence under the seed, such as one per layer. Default 0. */
  readonly stream?: number | bigint
  /** Element of the sequence to begin at. A tensor of n takes n: begin the next at `offset + n`, or they overlap. Default 0. */
  readonly offset?: number | bigint
}

export interface RandomKinds {
  /** Of [low, high), default [0, 1). */
  uniform: { readonly low?: number; readonly high?: number }
  /** Default mean 0, deviation 1. */
  normal: { readonly mean?: number; readonly deviation?: number }
  /** A dropout mask: 0 with probability p, else 1 / (1 - p). */
  bernoulli: { readonly p: number }
}

/** The two scalars each kernel takes. */
const distributions: { [K in keyof RandomKinds]: (options: RandomKinds[K]) => readonly [number, number] } = {
  uniform: ({ low = 0, high = 1 }) => [low, high],
  normal: ({ mean = 0, deviation = 1 }) => [mean, deviation],
  bernoulli: ({ p }) => [p, 1 / (1 - p)],
}

const uint64 = (value: number | bigint) => BigInt.asUintN(64, BigInt(value))

type Kernel = (byteOffset: number, ...scalars: readonly (number | bigint)[]) => void

/** What a kernel takes besides its tensor, for `count` elements from element `start` of the tensor on. */
export function randomScalars<K extends keyof RandomKinds>(
  kind: K,
  options: RandomPosition & RandomKinds[K],
): (count: number, start: number) => readonly (number | bigint)[] {
  const { seed, stream = 0, offset = 0 } = options
  const [first, second] = distributions[kind](options)
  if (kind === 'bernoulli' && !(first >= 0 && first < 1))
    throw new TensorError('KERNEL_FAILED', `A dropout probability must be of [0, 1), given ${first}.`)
  return (count, start) => [count, uint64(seed), uint64(stream), uint64(BigInt(offset) + BigInt(start)), first, second]
}

/** Fills arrays with random numbers on the calling thread: the same numbers that `KernelWorkers.random` makes. */
export class RandomFiller {
  readonly #memory: SharedMemory
  readonly #instance: WasmInstance

  constructor(module: WasmModule) {
    const pages = (chunkElements * Float32Array.BYTES_PER_ELEMENT) / 65536
    this.#memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    this.#instance = new webAssembly.Instance(module, { env: { memory: this.#memory } })
  }

  fill<K extends keyof RandomKinds>(kind: K, data: Float32Array, options: RandomPosition & RandomKinds[K]): void {
    const scalars = randomScalars(kind, options)
    const kernel = this.#instance.exports[kind] as Kernel
    const made = new Float32Array(this.#memory.buffer)
    for (let start = 0; start < data.length; start += chunkElements) {
      const count = Math.min(chunkElements, data.length - start)
      kernel(0, ...scalars(count, start))
      data.set(made.subarray(0, count), start)
    }
  }
}
