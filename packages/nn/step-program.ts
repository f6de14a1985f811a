import {
  type BoundRun,
  type CompileOptions,
  compile,
  dtypes,
  type Executable,
  grad,
  type HostTensor,
  type InputSpec,
  type KernelWorkers,
  type Program,
  type RandomSource,
  SharedArena,
  type SharedTensor,
  sizeOf,
  type Tensor,
  TensorError,
} from '@enigma/tensor'
import { NnError } from './errors.js'
import type { KeptBuffers } from './kept-buffers.js'
import type { LayerBuffer } from './layer-buffer.js'
import type { Parameter } from './parameter.js'
import type { Slot } from './step-memory.js'
import { type TracedNetwork, traceNetwork } from './trace-network.js'

/** The loss, or the loss and further results by name (metrics, predictions). */
export type TracedLoss = Tensor | ({ readonly loss: Tensor } & Readonly<Record<string, Tensor>>)

const isTensor = (value: TracedLoss): value is Tensor => 'builder' in value && 'dtype' in value

/** Traces a loss for batches of these shapes. */
export function traceLoss<I extends string>(
  inputs: Readonly<Record<I, InputSpec>>,
  loss: (inputs: Readonly<Record<I, Tensor>>) => TracedLoss,
): TracedNetwork {
  const body = (tensors: Readonly<Record<I, Tensor>>) => {
    const traced = loss(tensors)
    return isTensor(traced) ? { loss: traced } : traced
  }
  return traceNetwork(inputs, body, { training: true })
}

interface RandomInput {
  readonly tensor: SharedTensor
  readonly source: RandomSource
}

const zeros = (program: Program, value: number, what: string): HostTensor => {
  const { dtype, shape } = program.values[value]!
  const sizes = shape.map((dim) => {
    if (typeof dim === 'number') return dim
    throw new NnError('SHAPE_MISMATCH', `${what} has the size '${dim}'; a training step needs numbers.`)
  })
  return { dtype, shape: sizes, data: new dtypes[dtype].array(sizeOf(sizes)) }
}

/** Runs are this far apart in a random input's sequence: more elements than it has. */
const runStride = 2n ** 40n

/** Forward and backward for batches of one shape: a native program bound to the buffers it reads and writes. */
export class StepProgram<I extends string> {
  /** The batch to run on: write into these. */
  readonly inputs: Readonly<Record<I, HostTensor>>
  /** `loss` and what else was traced with it, after a run. */
  readonly outputs: Readonly<Record<string, HostTensor>>
  readonly #executable: Executable
  readonly #run: BoundRun
  readonly #randoms: readonly RandomInput[]
  readonly #arena: SharedArena
  /** Slots whose parameter this program does not use: their gradient is zero. */
  readonly #unused: readonly Slot[]
  readonly #updates: readonly { readonly buffer: LayerBuffer<'f32' | 'i64'>; readonly next: HostTensor }[]

  static async compile<I extends string>(
    traced: TracedNetwork,
    slots: readonly Slot[],
    options: CompileOptions,
  ): Promise<StepProgram<I>> {
    const trained = new Map<Parameter, Slot>(slots.map((slot) => [slot.parameter, slot]))
    const wrt = Object.entries(traced.parameters).flatMap(([input, parameter]) => {
      const slot = trained.get(parameter)
      return slot && parameter.requiresGrad ? [{ input, slot }] : []
    })
    const executable = await compile(grad(traced.program, { of: 'loss', wrt: wrt.map(({ input }) => input) }), options)
    try {
      const used = new Set(wrt.map(({ slot }) => slot))
      const unused = slots.filter((slot) => !used.has(slot))
      return new StepProgram(traced, wrt, unused, executable)
    } catch (error) {
      executable.release()
      throw error
    }
  }

  private constructor(
    traced: TracedNetwork,
    wrt: readonly { readonly input: string; readonly slot: Slot }[],
    unused: readonly Slot[],
    executable: Executable,
  ) {
    this.#unused = unused
    this.#executable = executable
    const { program } = executable
    const captured = { ...traced.parameters, ...traced.buffers }
    const randoms = program.inputs.flatMap(({ name, value, random }) =>
      random ? [{ name, source: random, shape: program.values[value]!.shape as readonly number[] }] : [],
    )
    const floats = randoms.reduce((sum, { shape }) => sum + sizeOf(shape) + 16, 0)
    this.#arena = new SharedArena({ bytes: floats * 4 + 65536 })
    this.#randoms = randoms.map(({ source, shape }) => ({ source, tensor: this.#arena.allocate('f32', shape) }))
    this.inputs = Object.fromEntries(
      program.inputs
        .filter(({ name, random }) => !random && !(name in captured))
        .map(({ name, value }) => [name, zeros(program, value, `Input '${name}'`)]),
    ) as Record<I, HostTensor>
    const results = new Map(program.outputs.map(({ name, value }) => [name, value]))
    const result = (name: string) => zeros(program, results.get(name)!, `Result '${name}'`)
    this.outputs = Object.fromEntries(traced.outputs.map((name) => [name, result(name)]))
    this.#updates = Object.entries(traced.updates).map(([name, buffer]) => ({ name, buffer, next: result(name) }))
    this.#run = executable.bind(
      {
        ...this.inputs,
        ...captured,
        ...Object.fromEntries(wrt.map(({ input, slot }) => [input, slot.weight])),
        ...Object.fromEntries(randoms.map(({ name }, index) => [name, this.#randoms[index]!.tensor])),
      },
      {
        ...this.outputs,
        ...Object.fromEntries(Object.keys(traced.updates).map((name, index) => [name, this.#updates[index]!.next])),
        ...Object.fromEntries(wrt.map(({ input, slot }) => [`d.${input}`, slot.output])),
      },
    )
  }

  /** Computes gradients for what `inputs` hold, and returns the loss. `index`, the number of this run, chooses the dropout masks. */
  async run(workers: KernelWorkers, seed: number, index: number): Promise<number> {
    for (const [stream, { tensor, source }] of this.#randoms.entries())
      await workers.random(source.kind, tensor, { ...source, seed, stream, offset: BigInt(index) * runStride })
    for (const { output } of this.#unused) output.data.fill(0)
    await this.#run.run().catch((cause) => {
      throw cause instanceof TensorError && /\bindex\b.* is out of range/.test(cause.message)
        ? new NnError('INVALID_ARGUMENT', `A class or an index of the batch is out of range: ${cause.message}`, { cause })
        : cause
    })
    return Number(this.outputs.loss!.data[0])
  }

  /** Gives buffers the numbers that the last run has for them. */
  updateBuffers(kept: KeptBuffers): void {
    for (const { buffer, next } of this.#updates) kept.set(buffer, next)
  }

  release(): void {
    this.#run.release()
    this.#executable.release()
    this.#arena.dispose()
  }
}
