import { dtypes, type HostTensor, type Program, type RandomSource, SharedArena, type SharedTensor, sizeOf } from '@enigma/tensor'
import { NnError } from './errors.js'
import type { Parameter } from './parameter.js'

/** A trained parameter: the input of the program that it is, and its shared buffers. */
export interface Slot {
  readonly name: string
  readonly input: string
  readonly parameter: Parameter
  readonly weight: SharedTensor
  readonly gradient: SharedTensor
  readonly m: SharedTensor
  readonly v: SharedTensor
  /** Where gradients of several batches add up; the gradient itself where there is one batch. */
  readonly sum: SharedTensor
}

export interface RandomInput {
  readonly input: string
  readonly source: RandomSource
  readonly tensor: SharedTensor
}

const padded = (size: number) => Math.ceil(size / 16) * 16

/** The shared memory of a training step: weights, gradients and optimizer state of each parameter, and random masks. */
export class StepMemory {
  readonly slots: readonly Slot[]
  readonly randoms: readonly RandomInput[]
  readonly #arena: SharedArena

  /** Copies the parameters in; they keep their own arrays until `adopt`. @throws TensorError OUT_OF_MEMORY */
  constructor(
    trained: readonly { readonly name: string; readonly input: string; readonly parameter: Parameter }[],
    program: Program,
    accumulate: number,
  ) {
    const randomInputs = program.inputs.flatMap(({ name, value, random }) =>
      random ? [{ input: name, source: random, shape: program.values[value]!.shape as readonly number[] }] : [],
    )
    const copies = accumulate > 1 ? 5 : 4
    const floats =
      trained.reduce((sum, { parameter }) => sum + copies * padded(parameter.size), 0) +
      randomInputs.reduce((sum, { shape }) => sum + padded(sizeOf(shape)), 0)
    this.#arena = new SharedArena({ bytes: floats * 4 + 65536 })
    // Buffer by buffer, not parameter by parameter: what an update streams through lies together.
    const allocate = () => trained.map(({ parameter }) => this.#arena.allocate('f32', parameter.shape))
    const [weights, gradients, ms, vs] = [allocate(), allocate(), allocate(), allocate()]
    const sums = accumulate > 1 ? allocate() : gradients
    this.slots = trained.map((entry, index) => {
      const weight = weights[index]!
      weight.data.set(entry.parameter.data)
      return { ...entry, weight, gradient: gradients[index]!, m: ms[index]!, v: vs[index]!, sum: sums[index]! }
    })
    this.randoms = randomInputs.map(({ input, source, shape }) => ({ input, source, tensor: this.#arena.allocate('f32', shape) }))
  }

  /** From now on the parameters' numbers are the shared ones. */
  adopt(): void {
    for (const { parameter, weight } of this.slots) parameter.data = weight.data as Float32Array
  }

  /** @throws NnError INVALID_ARGUMENT when another step has adopted a parameter since */
  assertOwned(): void {
    const taken = this.slots.find(({ parameter, weight }) => parameter.data !== weight.data)
    if (taken)
      throw new NnError('INVALID_ARGUMENT', `Another training step trains '${taken.name}' now. Close this one and use that one.`)
  }

  /** Gives the parameters that are still its own arrays of their own, and the memory back. */
  dispose(): void {
    for (const { parameter, weight } of this.slots) if (parameter.data === weight.data) parameter.data = parameter.data.slice()
    this.#arena.dispose()
  }
}

/** A zeroed buffer for an input of a program. @throws NnError SHAPE_MISMATCH for sizes known only at run time */
export function inputBuffer(program: Program, name: string, value: number): HostTensor {
  const { dtype, shape } = program.values[value]!
  const sizes = shape.map((dim) => {
    if (typeof dim === 'number') return dim
    throw new NnError('SHAPE_MISMATCH', `Input '${name}' has the size '${dim}'; a training step needs numbers.`)
  })
  return { dtype, shape: sizes, data: new dtypes[dtype].array(sizeOf(sizes)) }
}
