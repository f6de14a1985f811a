import {
  type BoundRun,
  type CompileOptions,
  checkIndices,
  compile,
  dtypes,
  type Executable,
  grad,
  type HostTensor,
  type IndexCheck,
  type InputSpec,
  indexChecks,
  type KernelWorkers,
  type Program,
  type RandomSource,
  type Share,
  SharedArena,
  type SharedTensor,
  sizeOf,
  type Tensor,
  TensorError,
  weighted,
} from '@enigma/tensor'
import { NnError } from './errors.js'
import type { KeptBuffers } from './kept-buffers.js'
import type { LayerBuffer } from './layer-buffer.js'
import type { Parameter } from './parameter.js'
import { type Split, sharedThreads } from './replicas.js'
import { type Spread, spread } from './spread.js'
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

const same: Share = { kind: 'same' }
/** What a part counts, an input; and the loss times that, an output. */
const [weightName, weightedLoss] = ['#weight', '#weighted']

interface Trained {
  readonly input: string
  readonly slot: Slot
}

const valuesOf = (spreads: ReadonlyMap<string, Spread>, part: number): [string, HostTensor][] =>
  [...spreads].map(([name, { parts }]) => [name, parts[part]!])

/** Forward and backward for batches of one shape: a native program bound to the buffers it reads and writes. */
export class StepProgram<I extends string> {
  /** The batch to run on: write into these. */
  readonly inputs: Readonly<Record<I, HostTensor>>
  /** `loss` and what else was traced with it, after a run. */
  readonly outputs: Readonly<Record<string, HostTensor>>
  readonly #executable: Executable
  /** One for each part of the batch that is computed at the same time. */
  readonly #runs: readonly BoundRun[]
  readonly #parts: Split | undefined
  readonly #fed: ReadonlyMap<string, Spread>
  readonly #results: ReadonlyMap<string, Spread>
  readonly #weights: readonly Float32Array[]
  /** What is checked of the whole batch, so that places in it are named, not places in its parts. */
  readonly #checks: readonly IndexCheck[]
  readonly #randoms: readonly RandomInput[]
  readonly #arena: SharedArena
  readonly #trained: readonly Trained[]
  /** Slots whose parameter this program does not use: their gradient is zero. */
  readonly #unused: readonly Slot[]
  readonly #updates: readonly { readonly buffer: LayerBuffer<'f32' | 'i64'>; readonly next: HostTensor }[]

  /** @param parts how the batch is split between runs at the same time; undefined: one run computes it */
  static async compile<I extends string>(
    whole: TracedNetwork,
    parts: Split | undefined,
    slots: readonly Slot[],
    options: CompileOptions,
  ): Promise<StepProgram<I>> {
    const own = new Map<Parameter, Slot>(slots.map((slot) => [slot.parameter, slot]))
    const trained = Object.entries(whole.parameters).flatMap(([input, parameter]) => {
      const slot = own.get(parameter)
      return slot && parameter.requiresGrad ? [{ input, slot }] : []
    })
    const wrt = trained.map(({ input }) => input)
    const executable = parts
      ? await compile(
          grad(weighted(parts.traced.program, { of: 'loss', by: weightName, as: weightedLoss }), { of: weightedLoss, wrt }),
          { ...options, threads: sharedThreads(parts.parts, options) },
        )
      : await compile(grad(whole.program, { of: 'loss', wrt }), options)
    try {
      const used = new Set(trained.map(({ slot }) => slot))
      const unused = slots.filter((slot) => !used.has(slot))
      return new StepProgram(whole, parts, trained, unused, executable)
    } catch (error) {
      executable.release()
      throw error
    }
  }

  private constructor(
    traced: TracedNetwork,
    parts: Split | undefined,
    trained: readonly Trained[],
    unused: readonly Slot[],
    executable: Executable,
  ) {
    this.#parts = parts
    this.#trained = trained
    this.#unused = unused
    this.#executable = executable
    const { program } = traced
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
    const places = new Map(program.outputs.map(({ name, value }) => [name, value]))
    const result = (name: string) => zeros(program, places.get(name)!, `Result '${name}'`)
    this.outputs = Object.fromEntries(traced.outputs.map((name) => [name, result(name)]))
    this.#updates = Object.entries(traced.updates).map(([name, buffer]) => ({ name, buffer, next: result(name) }))

    const count = parts?.parts ?? 1
    const spreads = (tensors: Readonly<Record<string, HostTensor>>, shares?: ReadonlyMap<string, Share>) =>
      new Map(Object.entries(tensors).map(([name, tensor]) => [name, spread(tensor, shares?.get(name) ?? same, count)]))
    const filled = Object.fromEntries(randoms.map(({ name }, index) => [name, this.#randoms[index]!.tensor]))
    const updated = Object.fromEntries(Object.keys(traced.updates).map((name, index) => [name, this.#updates[index]!.next]))
    this.#fed = spreads({ ...this.inputs, ...filled }, parts?.partition.inputs)
    this.#results = spreads({ ...this.outputs, ...updated }, parts?.partition.outputs)
    this.#weights = parts ? Array.from({ length: count }, () => Float32Array.of(1 / count)) : []
    this.#checks = parts ? indexChecks(program).filter(({ input }) => input in this.inputs) : []
    this.#runs = Array.from({ length: count }, (_, part) => {
      const weight = this.#weights[part]
      // What is the same for all parts comes from the first.
      const kept = valuesOf(this.#results, part).filter(
        ([name]) => part === 0 || parts!.partition.outputs.get(name)!.kind !== 'same',
      )
      return executable.bind(
        {
          ...Object.fromEntries(valuesOf(this.#fed, part)),
          ...captured,
          ...Object.fromEntries(trained.map(({ input, slot }) => [input, slot.weight])),
          ...(weight && { [weightName]: { dtype: 'f32', shape: [], data: weight } as const }),
        },
        {
          ...Object.fromEntries(kept),
          ...Object.fromEntries(trained.map(({ input, slot }) => [`d.${input}`, gradientOf(slot, part)])),
        },
      )
    })
  }

  /** Parts of the batch that are computed at the same time. */
  get replicas(): number {
    return this.#runs.length
  }

  /** Computes gradients for what `inputs` hold, and returns the loss. `index`, the number of this run, chooses the dropout masks. */
  async run(workers: KernelWorkers, seed: number, index: number): Promise<number> {
    for (const [stream, { tensor, source }] of this.#randoms.entries())
      await workers.random(source.kind, tensor, { ...source, seed, stream, offset: BigInt(index) * runStride })
    for (const { output } of this.#unused) output.data.fill(0)
    try {
      for (const check of this.#checks) checkIndices(check, this.inputs[check.input as I].data)
      await (this.#parts ? this.#runParts(this.#parts, workers) : this.#runs[0]!.run())
    } catch (cause) {
      throw cause instanceof TensorError && /\bindex\b.* is out of range/.test(cause.message)
        ? new NnError('INVALID_ARGUMENT', `A class or an index of the batch is out of range: ${cause.message}`, { cause })
        : cause
    }
    return Number(this.outputs.loss!.data[0])
  }

  async #runParts({ partition, parts }: Split, workers: KernelWorkers): Promise<void> {
    for (const tensor of this.#fed.values()) tensor.scatter()
    const weights = (name: string) => weightsOf(partition.outputs.get(name)!, this.#fed, parts)
    for (const [part, weight] of weights('loss').entries()) this.#weights[part]![0] = weight
    // All must have ended before their buffers are touched, also when one failed.
    for (const outcome of await Promise.allSettled(this.#runs.map((run) => run.run())))
      if (outcome.status === 'rejected') throw outcome.reason
    for (const [name, tensor] of this.#results) tensor.gather(weights(name))
    const sums = this.#trained.map(({ slot }) => slot.output)
    for (let part = 1; part < parts; part++)
      await workers.axpy(
        1,
        this.#trained.map(({ slot }) => gradientOf(slot, part)),
        sums,
      )
  }

  /** Gives buffers the numbers that the last run has for them. */
  updateBuffers(kept: KeptBuffers): void {
    for (const { buffer, next } of this.#updates) kept.set(buffer, next)
  }

  release(): void {
    for (const run of this.#runs) run.release()
    this.#executable.release()
    this.#arena.dispose()
  }
}

const gradientOf = ({ output, further }: Slot, part: number): SharedTensor<'f32'> => (part === 0 ? output : further[part - 1]!)

/** The factor of each part's result in that of the whole: the same for all, or by how many of its targets count. */
function weightsOf(share: Share, fed: ReadonlyMap<string, Spread>, parts: number): readonly number[] {
  const scale = share.kind === 'sum' ? share.scale : share.kind === 'ratio' ? share.ratio / parts : 1
  const even = Array<number>(parts).fill(scale)
  if (share.kind !== 'sum' || !share.counted) return even
  const { input, none } = share.counted
  const counts = fed.get(input)!.parts.map(({ data }) => countOf(data, none))
  const total = counts.reduce((sum, count) => sum + count, 0)
  return total === 0 ? even : counts.map((count) => (scale * parts * count) / total)
}

/** How many elements are not `none`. */
function countOf(data: HostTensor['data'], none: number): number {
  const wanted = data instanceof BigInt64Array ? BigInt(none) : none
  let count = 0
  for (let i = 0; i < data.length; i++) if (data[i] !== wanted) count++
  return count
}
