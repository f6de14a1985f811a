import { readFileSync } from 'node:fs'
import { TensorError } from '../errors.js'
import { type WasmModule, webAssembly } from './webassembly.js'

/** The compiled kernels (`assembly/`), a few kilobytes. */
export function loadKernelModule(): WasmModule {
  const file = new URL('./kernels.wasm', import.meta.url)
  try {
    return new webAssembly.Module(readFileSync(file))
  } catch (cause) {
    throw new TensorError('KERNEL_FAILED', 'kernels.wasm is missing or broken: run `npm run build:kernels`.', { cause })
  }
}
