import { SharedArena, type SharedTensor, sizeOf, TensorError } from '@enigma/tensor'
import { NnError } from './errors.js'
import type { Optimizer, OptimizerSlot } from './optim/index.js'
import type { Parameter } from './parameter.js'

/** A parameter that a step trains, and by which optimizer. */
export interface Trained {
  readonly name: string
  readonly parameter: Parameter
  readonly optimizer: Optimizer
}

export interface Slot extends OptimizerSlot {
  readonly optimizer: Optimizer
  /** Where a run writes its gradient: `gradient` itself, unless gradients of several batches add up there. */
  readonly output: SharedTensor<'f32'>
  /** Where further parts of the batch that are computed at the same time have theirs. */
  readonly further: readonly SharedTensor<'f32'>[]
}

/** What goes wrong with a parameter's memory names it. */
function named<T>(name: string, allocate: () => T): T {
  try {
    return allocate()
  } catch (cause) {
    if (!(cause instanceof TensorError)) throw cause
    throw new TensorError(cause.code, `Parameter '${name}': ${cause.message}`, { cause })
  }
}

const padded = (size: number) => Math.ceil(size / 16) * 16

/** The shared memory of a training step: weights, gradients and optimizer state of each parameter. */
export class StepMemory {
  readonly slots: readonly Slot[]
  readonly replicas: number
  readonly #arena: SharedArena

  /**
   * Copies the parameters in; they keep their own arrays until `adopt`.
   * @param replicas parts of a batch with gradients of their own, at most; memory that none writes stays untouched
   * @throws TensorError OUT_OF_MEMORY
   */
  constructor(trained: readonly Trained[], accumulate: number, replicas: number) {
    this.replicas = replicas
    const states = trained.map(({ name, optimizer, parameter }) => optimizer.state(parameter.shape, name))
    const copies = (accumulate > 1 ? 2 : 1) + replicas
    const floats = trained.reduce((sum, { parameter }, index) => {
      const state = Object.values(states[index]!).reduce((total, shape) => total + padded(sizeOf(shape)), 0)
      return sum + copies * padded(parameter.size) + state
    }, 0)
    this.#arena = new SharedArena({ bytes: floats * 4 + 65536 })
    // Buffer by buffer, not parameter by parameter: what an update streams through lies together.
    const allocate = () => trained.map(({ name, parameter }) => named(name, () => this.#arena.allocate('f32', parameter.shape)))
    const [weights, outputs] = [allocate(), allocate()]
    const kept: Record<string, SharedTensor<'f32'>>[] = trained.map(() => ({}))
    for (const name of new Set(states.flatMap((state) => Object.keys(state))))
      for (const [index, state] of states.entries())
        if (state[name]) kept[index]![name] = this.#arena.allocate('f32', state[name])
    const gradients = accumulate > 1 ? allocate() : outputs
    const further = Array.from({ length: replicas - 1 }, allocate)
    this.slots = trained.map((entry, index) => {
      const weight = weights[index]!
      weight.data.set(entry.parameter.data)
      return {
        ...entry,
        weight,
        output: outputs[index]!,
        further: further.map((tensors) => tensors[index]!),
        gradient: gradients[index]!,
        state: kept[index]!,
      }
    })
  }

  /** From now on the parameters' numbers are the shared ones. */
  adopt(): void {
    for (const { parameter, weight } of this.slots) parameter.data = weight.data
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
