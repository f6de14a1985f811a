import { type KernelCall, type KernelRequest, stagingBytes } from './call.js'
import { type SharedMemory, type WasmInstance, type WasmModule, webAssembly } from './webassembly.js'

type Kernel = (...parameters: (number | bigint)[]) => number | undefined
interface Place {
  readonly memory: SharedMemory
  readonly instance: WasmInstance
}

/** Runs kernels on the thread it lives on: one instance of the module per memory. */
export class KernelExecutor {
  readonly #module: WasmModule
  readonly #places = new Map<number, Place>()
  #staging: Place | undefined

  constructor(module: WasmModule) {
    this.#module = module
  }

  execute({ memories, forgotten, calls }: KernelRequest): number[] {
    for (const memory of forgotten) this.#places.delete(memory)
    for (const [number, memory] of memories) this.#places.set(number, this.#placeOf(memory))
    return calls.map((call) => this.#call(call))
  }

  #placeOf(memory: SharedMemory): Place {
    return { memory, instance: new webAssembly.Instance(this.#module, { env: { memory } }) }
  }

  #call(call: KernelCall): number {
    const [first, ...others] = call.operands
    const home = first!.memory
    if (others.some(({ memory }) => memory !== home)) return this.#callStaged(call)
    const offsets = call.operands.map(({ byteOffset }) => byteOffset)
    return invoke(this.#places.get(home)!, call, offsets)
  }

  /** An instance sees one memory only: operands from several are brought together, and written ones taken back. */
  #callStaged(call: KernelCall): number {
    const pages = stagingBytes / 65536
    this.#staging ??= this.#placeOf(new webAssembly.Memory({ initial: pages, maximum: pages, shared: true }))
    const { buffer } = this.#staging.memory
    const offsets: number[] = []
    let end = 0
    for (const { bytes } of call.operands) {
      offsets.push(end)
      end += Math.ceil(bytes / 16) * 16
    }
    if (end > stagingBytes)
      throw new Error(`the tensors of '${call.kernel}' lie in different shards: allocate them from a shard with room for all.`)
    const pairs = call.operands.map(({ memory, byteOffset, bytes, written }, index) => ({
      here: new Uint8Array(buffer, offsets[index], bytes),
      there: new Uint8Array(this.#places.get(memory)!.memory.buffer, byteOffset, bytes),
      written,
    }))
    for (const { here, there } of pairs) here.set(there)
    const result = invoke(this.#staging, call, offsets)
    for (const { here, there, written } of pairs) if (written) there.set(here)
    return result
  }
}

function invoke({ instance }: Place, { kernel, scalars }: KernelCall, offsets: readonly number[]): number {
  return (instance.exports[kernel] as Kernel)(...offsets, ...scalars) ?? 0
}
