import { TensorError } from '../errors.js'
import { KernelExecutor } from '../kernels/executor.js'
import type { KernelThread } from '../kernels/thread.js'
import { type WasmModule, webAssembly } from '../kernels/webassembly.js'
import type { Runtime } from '../runtime/runtime.js'
import { webRuntime } from '../runtime/web.js'

/** What this package needs from a browser: `#platform` there. The page serves `kernels.wasm` beside its script. */

/** ONNX Runtime for the web, an optional dependency: a page that only traces and exports needs none. */
export async function defaultRuntime(): Promise<Runtime> {
  const ort = await import('onnxruntime-web').catch((cause) => {
    throw new TensorError('RUNTIME_UNAVAILABLE', "The package 'onnxruntime-web' is not installed: add it beside this one.", {
      cause,
    })
  })
  return webRuntime(ort)
}

/** @throws TensorError RUNTIME_UNAVAILABLE always */
export async function nativeRuntime(): Promise<Runtime> {
  throw new TensorError('RUNTIME_UNAVAILABLE', 'A browser has no native ONNX Runtime: use `webRuntime`, or name no runtime.')
}

/** What a WebAssembly memory can hold: a page is not told how much the machine has. */
export const totalMemory = (): number => 2 ** 32

/** A page computes on its own thread, one run at a time. */
export const cores = (): number => 1
export const concurrentRuns = 1

/**
 * One executor on the page's own thread. Threads of a page can share memory only if the server isolates it (COOP and COEP), and
 * the updates of networks that a page trains take less than a message to a thread.
 */
export function kernelThreads(): KernelThread[] {
  const executor = kernelModule().then((module) => new KernelExecutor(module))
  // Who asks for a kernel learns of a failure; a step that needs none goes on.
  executor.catch(() => undefined)
  const request: KernelThread['request'] = async (body) => {
    const kernels = await executor
    try {
      return kernels.execute(body)
    } catch (cause) {
      throw new TensorError('KERNEL_FAILED', `A kernel failed: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
  return [{ request, close: async () => undefined }]
}

/** The compiled kernels, which the page serves beside its script. @throws TensorError KERNEL_FAILED */
export async function kernelModule(): Promise<WasmModule> {
  const file = new URL('./kernels.wasm', import.meta.url)
  try {
    const response = await fetch(file)
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
    return await webAssembly.compile(new Uint8Array(await response.arrayBuffer()))
  } catch (cause) {
    const fix = 'Serve the package file dist/kernels/kernels.wasm beside the script that has this package in it.'
    throw new TensorError('KERNEL_FAILED', `${file} cannot be loaded. ${fix}`, { cause })
  }
}
