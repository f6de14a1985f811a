import type { SharedMemory } from './webassembly.js'

/** What threads of `KernelWorkers` and their master say to each other. */

/** One tensor's part in a call: which memory, where, how many bytes, and whether the kernel writes it. */
export interface Operand {
  readonly memory: number
  readonly byteOffset: number
  readonly bytes: number
  readonly written: boolean
}

/** `kernel(...offsets of the operands, ...scalars)`; its result, if any, goes back. */
export interface KernelCall {
  readonly kernel: string
  readonly operands: readonly Operand[]
  readonly scalars: readonly (number | bigint)[]
}

export interface KernelRequest {
  /** Memories the thread has not seen, by the number that operands use for them. */
  readonly memories: readonly (readonly [number, SharedMemory])[]
  /** Memories that nobody uses any more. */
  readonly forgotten: readonly number[]
  readonly calls: readonly KernelCall[]
}

/** Elements of one call of an elementwise kernel or a reduction. Fixed, so that results do not depend on the number of threads. */
export const chunkElements = 2 ** 18

/** Bytes a thread has for calls whose operands lie in different memories: five chunks of f32. */
export const stagingBytes = 5 * 4 * chunkElements
