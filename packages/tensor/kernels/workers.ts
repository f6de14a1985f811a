import { kernelThreads } from '#platform'
import { type DType, dtypes } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { SharedTensor } from './arena.js'
import { chunkElements, type KernelCall, type KernelRequest, type Operand } from './call.js'
import { type RandomKinds, type RandomPosition, randomScalars } from './random.js'
import type { KernelThread } from './thread.js'
import { type UpdateKernel, type UpdateSegment, updateKernels } from './updates.js'
import type { SharedMemory } from './webassembly.js'

export interface KernelWorkersOptions {
  /** Threads. Default 2: the kernels are bound by memory. Results do not depend on it. */
  readonly workers?: number
}

/**
 * Runs the kernels on shared tensors in threads, so that an update of millions of parameters never blocks the caller.
 * Calls take effect in the order they are made; neither their tensors may be touched until they settle.
 *
 * @throws TensorError KERNEL_FAILED from every call when a kernel or a thread fails
 */
export class KernelWorkers {
  readonly #workers: readonly KernelThread[]
  readonly #seen: ReadonlyMap<KernelThread, Set<number>>
  readonly #numbers = new WeakMap<SharedMemory, number>()
  readonly #memories = new Map<number, WeakRef<SharedMemory>>()
  #nextMemory = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor({ workers = 2 }: KernelWorkersOptions = {}) {
    this.#workers = kernelThreads(Math.max(1, workers))
    this.#seen = new Map(this.#workers.map((worker) => [worker, new Set()]))
  }

  /** One update of weights by their gradients, elementwise; see `updateKernels`. */
  async update(kernel: UpdateKernel, segments: readonly UpdateSegment[]): Promise<void> {
    const written = updateKernels[kernel]
    const calls = segments.flatMap(({ tensors, scalars }) => {
      if (tensors.length !== written.length)
        throw new TensorError('SHAPE_MISMATCH', `'${kernel}' takes ${written.length} tensors, given ${tensors.length}.`)
      return this.#chunked(kernel, tensors, written, (count) => [count, ...scalars])
    })
    await this.#run(calls)
  }

  /** Σx² over all elements of all tensors, in f64. */
  async sumOfSquares(tensors: readonly SharedTensor[]): Promise<number> {
    const sums = await this.#run(tensors.flatMap((x) => this.#chunked('sumOfSquares', [x], [false], (count) => [count])))
    return sums.reduce((total, sum) => total + sum, 0)
  }

  /** Whether any element of any tensor is infinite or not a number. */
  async hasNonFinite(tensors: readonly SharedTensor[]): Promise<boolean> {
    const found = await this.#run(tensors.flatMap((x) => this.#chunked('hasNonFinite', [x], [false], (count) => [count])))
    return found.includes(1)
  }

  /** ys[i] += a·xs[i] */
  async axpy(a: number, xs: readonly SharedTensor[], ys: readonly SharedTensor[]): Promise<void> {
    await this.#run(pairs(ys, xs).flatMap((pair) => this.#chunked('axpy', pair, [true, false], (count) => [count, a])))
  }

  async scale(tensors: readonly SharedTensor[], factor: number): Promise<void> {
    await this.#run(tensors.flatMap((y) => this.#chunked('scale', [y], [true], (count) => [count, factor])))
  }

  async fill(tensors: readonly SharedTensor[], value: number): Promise<void> {
    await this.#run(tensors.flatMap((y) => this.#chunked('fill', [y], [true], (count) => [count, value])))
  }

  /** Each element becomes the nearest within ±limit. */
  async clamp(tensors: readonly SharedTensor[], limit: number): Promise<void> {
    await this.#run(tensors.flatMap((y) => this.#chunked('clamp', [y], [true], (count) => [count, limit])))
  }

  /** to[i] = from[i] */
  async copy(from: readonly SharedTensor[], to: readonly SharedTensor[]): Promise<void> {
    await this.#run(pairs(to, from).flatMap((pair) => this.#chunked('copy', pair, [true, false], (count) => [count])))
  }

  /**
   * target[ids[i]] += rows[i] for i = 0, 1, … in that order: target [V, D] f32, ids i64 of N elements, rows of N·D f32.
   * The three must lie in one shard. Nothing is written when an id is outside 0 … V-1.
   */
  async scatterAddRows(target: SharedTensor, ids: SharedTensor, rows: SharedTensor): Promise<void> {
    const [height = 0, width = 0] = target.shape
    const count = ids.data.length
    if (target.shape.length !== 2 || rows.data.length !== count * width)
      throw new TensorError(
        'SHAPE_MISMATCH',
        `scatterAddRows adds ${count} rows [${rows.shape.join(', ')}] to a matrix [V, D], given [${target.shape.join(', ')}].`,
      )
    const [bad = -1] = await this.#run([this.#call('firstBadId', [[ids, 'i64', false]], [count, BigInt(height)])])
    if (bad >= 0)
      throw new TensorError(
        'KERNEL_FAILED',
        `Id ${ids.data[bad]} at position ${bad} is outside the ${height} rows 0 … ${height - 1}.`,
      )
    const share = Math.ceil(width / this.#workers.length / 16) * 16
    const calls: KernelCall[] = []
    for (let from = 0; from < width; from += share) {
      const operands = [[target, 'f32', true] as const, [ids, 'i64', false] as const, [rows, 'f32', false] as const]
      calls.push(this.#call('scatterAddRows', operands, [count, width, from, Math.min(width, from + share)]))
    }
    await this.#run(calls, (index) => index % this.#workers.length)
  }

  /** Fills a tensor with random numbers of Philox4x32-10. */
  async random<K extends keyof RandomKinds>(
    kind: K,
    tensor: SharedTensor,
    options: RandomPosition & RandomKinds[K],
  ): Promise<void> {
    const scalars = randomScalars(kind, options)
    const calls = this.#chunked(kind, [tensor], [true], scalars)
    await this.#run(calls)
  }

  /** f32 → f16, rounding to nearest even. */
  async toHalf(from: readonly SharedTensor[], to: readonly SharedTensor[]): Promise<void> {
    const calls = pairs(to, from).flatMap((pair) =>
      this.#chunked('floatToHalf', pair, [true, false], (count) => [count], ['f16', 'f32']),
    )
    await this.#run(calls)
  }

  /** f16 → f32, exact. */
  async toFloat(from: readonly SharedTensor[], to: readonly SharedTensor[]): Promise<void> {
    const calls = pairs(to, from).flatMap((pair) =>
      this.#chunked('halfToFloat', pair, [true, false], (count) => [count], ['f32', 'f16']),
    )
    await this.#run(calls)
  }

  /** Ends the threads, after the calls made so far. */
  async close(): Promise<void> {
    await this.#last
    await Promise.all(this.#workers.map((worker) => worker.close()))
  }

  /** Calls of an elementwise kernel or reduction over tensors of one size, a chunk each. */
  #chunked(
    kernel: string,
    tensors: readonly SharedTensor[],
    written: readonly boolean[],
    scalars: (count: number, start: number) => readonly (number | bigint)[],
    types: readonly DType[] = tensors.map(() => 'f32' as const),
  ): KernelCall[] {
    const size = tensors[0]!.data.length
    const other = tensors.find(({ data }) => data.length !== size)
    if (other)
      throw new TensorError(
        'SHAPE_MISMATCH',
        `'${kernel}' takes tensors of one size, given ${size} and ${other.data.length} elements.`,
      )
    const calls: KernelCall[] = []
    for (let start = 0; start < size; start += chunkElements) {
      const count = Math.min(chunkElements, size - start)
      const operands = tensors.map((tensor, index) => this.#operand(kernel, tensor, types[index]!, written[index]!, start, count))
      calls.push({ kernel, operands, scalars: scalars(count, start) })
    }
    return calls
  }

  #call(
    kernel: string,
    tensors: readonly (readonly [tensor: SharedTensor, dtype: DType, written: boolean])[],
    scalars: readonly (number | bigint)[],
  ): KernelCall {
    const operands = tensors.map(([tensor, dtype, written]) =>
      this.#operand(kernel, tensor, dtype, written, 0, tensor.data.length),
    )
    return { kernel, operands, scalars }
  }

  #operand(kernel: string, tensor: SharedTensor, dtype: DType, written: boolean, start: number, count: number): Operand {
    if (tensor.dtype !== dtype) throw new TensorError('DTYPE_MISMATCH', `'${kernel}' needs ${dtype} here, given ${tensor.dtype}.`)
    const { bytes } = dtypes[dtype]
    return { memory: this.#number(tensor.memory), byteOffset: tensor.byteOffset + start * bytes, bytes: count * bytes, written }
  }

  #number(memory: SharedMemory): number {
    let number = this.#numbers.get(memory)
    if (number === undefined) {
      number = this.#nextMemory++
      this.#numbers.set(memory, number)
      this.#memories.set(number, new WeakRef(memory))
    }
    return number
  }

  /** Runs calls after all earlier ones, one message per thread; results come in the order of the calls. */
  #run(calls: readonly KernelCall[], threadOf = spread(calls, this.#workers.length)): Promise<number[]> {
    const running = this.#last.then(() => this.#dispatch(calls, threadOf))
    this.#last = running.catch(() => undefined)
    return running
  }

  async #dispatch(calls: readonly KernelCall[], threadOf: (index: number) => number): Promise<number[]> {
    const shares = this.#workers.map((): number[] => [])
    for (const index of calls.keys()) shares[threadOf(index)]!.push(index)
    const results = new Array<number>(calls.length).fill(0)
    const requests = this.#workers.map(async (worker, thread) => {
      const share = shares[thread]!
      if (share.length === 0) return
      const answers = await worker.request(
        this.#request(
          worker,
          share.map((index) => calls[index]!),
        ),
      )
      share.forEach((index, position) => {
        results[index] = answers[position]!
      })
    })
    // All threads must have ended before the next call starts, also when one failed.
    for (const outcome of await Promise.allSettled(requests)) if (outcome.status === 'rejected') throw outcome.reason
    return results
  }

  #request(worker: KernelThread, calls: readonly KernelCall[]): KernelRequest {
    const seen = this.#seen.get(worker)!
    const forgotten = [...seen].filter((number) => !this.#memories.get(number)?.deref())
    for (const number of forgotten) seen.delete(number)
    const fresh = new Set(
      calls.flatMap(({ operands }) => operands.map(({ memory }) => memory)).filter((number) => !seen.has(number)),
    )
    const memories = [...fresh].map((number) => {
      seen.add(number)
      return [number, this.#memories.get(number)!.deref()!] as const
    })
    return { memories, forgotten, calls }
  }
}

function pairs(targets: readonly SharedTensor[], sources: readonly SharedTensor[]): (readonly [SharedTensor, SharedTensor])[] {
  if (targets.length !== sources.length)
    throw new TensorError(
      'SHAPE_MISMATCH',
      `As many tensors to write as to read are needed, given ${targets.length} and ${sources.length}.`,
    )
  return targets.map((target, index) => [target, sources[index]!])
}

/** Gives each thread a contiguous part of the calls with about the same number of bytes. */
function spread(calls: readonly KernelCall[], threads: number): (index: number) => number {
  let end = 0
  const starts = calls.map(({ operands }) => {
    const start = end
    end += operands[0]?.bytes ?? 0
    return start
  })
  return (index) => Math.min(threads - 1, Math.floor((starts[index]! * threads) / Math.max(1, end)))
}
