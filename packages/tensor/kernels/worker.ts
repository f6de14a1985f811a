import { parentPort, workerData } from 'node:worker_threads'
import { type KernelCall, type KernelRequest, stagingBytes } from './call.js'
import { type SharedMemory, type WasmInstance, type WasmModule, webAssembly } from './webassembly.js'
import type { Envelope, Reply } from './worker-pool.js'

/** The thread side of `KernelWorkers`: one instance of the kernels per memory. */

type Kernel = (...parameters: (number | bigint)[]) => number | undefined
interface Place {
  readonly memory: SharedMemory
  readonly instance: WasmInstance
}

const module = workerData as WasmModule
const places = new Map<number, Place>()
let staging: Place | undefined

function placeOf(memory: SharedMemory): Place {
  return { memory, instance: new webAssembly.Instance(module, { env: { memory } }) }
}

function invoke({ instance }: Place, { kernel, scalars }: KernelCall, offsets: readonly number[]): number {
  return (instance.exports[kernel] as Kernel)(...offsets, ...scalars) ?? 0
}

function execute(call: KernelCall): number {
  const [first, ...others] = call.operands
  const home = first!.memory
  if (others.every(({ memory }) => memory === home))
    return invoke(
      places.get(home)!,
      call,
      call.operands.map(({ byteOffset }) => byteOffset),
    )
  return executeStaged(call)
}

/** An instance sees one memory only: operands from several are brought together, and written ones taken back. */
function executeStaged(call: KernelCall): number {
  const pages = stagingBytes / 65536
  staging ??= placeOf(new webAssembly.Memory({ initial: pages, maximum: pages, shared: true }))
  const { buffer } = staging.memory
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
    there: new Uint8Array(places.get(memory)!.memory.buffer, byteOffset, bytes),
    written,
  }))
  for (const { here, there } of pairs) here.set(there)
  const result = invoke(staging, call, offsets)
  for (const { here, there, written } of pairs) if (written) there.set(here)
  return result
}

parentPort!.on('message', ({ id, body }: Envelope<KernelRequest>) => {
  let reply: Reply<number[]>
  try {
    for (const memory of body.forgotten) places.delete(memory)
    for (const [number, memory] of body.memories) places.set(number, placeOf(memory))
    reply = { id, result: body.calls.map(execute) }
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) }
  }
  parentPort!.postMessage(reply)
})
