import { availableParallelism, totalmem } from 'node:os'
import { loadKernelModule } from '../kernels/module.js'
import type { KernelThread } from '../kernels/thread.js'
import type { WasmModule } from '../kernels/webassembly.js'
import { PooledWorker } from '../kernels/worker-pool.js'
import { nativeRuntime } from '../runtime/native.js'
import type { Runtime } from '../runtime/runtime.js'

/** What this package needs from where it runs. Under Node this file is `#platform`, in a browser `web.ts`. */

export { nativeRuntime }
export const defaultRuntime = (): Promise<Runtime> => nativeRuntime()

/** The machine's memory in bytes. */
export const totalMemory = (): number => totalmem()

/** Native threads that this process may have at work. */
export const cores = (): number => availableParallelism()

/** Runs that can be under way at once: libuv, whose threads native calls wait on, has this many. */
export const concurrentRuns = 4

/** The compiled kernels. */
export const kernelModule = async (): Promise<WasmModule> => loadKernelModule()

/** Starts threads for kernels. */
export function kernelThreads(count: number): KernelThread[] {
  const module = loadKernelModule()
  const file = new URL('../kernels/worker.js', import.meta.url)
  return Array.from({ length: count }, () => new PooledWorker(file, module))
}
