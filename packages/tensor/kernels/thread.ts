import type { KernelRequest } from './call.js'

/** Something that runs kernels: a thread, or the page itself where there are none. */
export interface KernelThread {
  /** Results of the calls, in order. @throws TensorError KERNEL_FAILED */
  request(body: KernelRequest): Promise<number[]>
  close(): Promise<void>
}
