import { parentPort, workerData } from 'node:worker_threads'
import type { KernelRequest } from './call.js'
import { KernelExecutor } from './executor.js'
import type { WasmModule } from './webassembly.js'
import type { Envelope, Reply } from './worker-pool.js'

/** The thread side of `KernelWorkers`. */

const executor = new KernelExecutor(workerData as WasmModule)

parentPort!.on('message', ({ id, body }: Envelope<KernelRequest>) => {
  let reply: Reply<number[]>
  try {
    reply = { id, result: executor.execute(body) }
  } catch (error) {
    reply = { id, error: error instanceof Error ? error.message : String(error) }
  }
  parentPort!.postMessage(reply)
})
