import type { CompileOptions, KernelWorkers, Shape, SharedTensor } from '@enigma/tensor'
import type { Parameter } from '../parameter.js'

/** A parameter under training, in shared memory; all but `state` have the parameter's shape. */
export interface OptimizerSlot {
  readonly name: string
  readonly parameter: Parameter
  readonly weight: SharedTensor<'f32'>
  /** The gradient of this update: averaged over accumulated batches, not yet clipped by norm. */
  readonly gradient: SharedTensor<'f32'>
  /** What the optimizer remembers between updates, zeroed at first, by the names of `Optimizer.state`. */
  readonly state: Readonly<Record<string, SharedTensor<'f32'>>>
}

export interface UpdateContext {
  readonly workers: KernelWorkers
  readonly learningRate: number
  /** Number of this update, from 1. */
  readonly step: number
  /** Multiplies the gradients, as clipping by norm does. */
  readonly gradientScale: number
  /** How the step compiles programs; an optimizer that has programs compiles them so. */
  readonly session: CompileOptions
}

/** A rule that turns gradients into new weights. `optim` has those the field knows; an object of this shape is one more. */
export interface Optimizer {
  /** Name in checkpoints and messages. */
  readonly kind: string
  /** Learning rate, where a step gives none. */
  readonly lr: number
  /**
   * The tensors it keeps for a parameter of this shape: name → shape.
   * @throws NnError INVALID_ARGUMENT when it cannot update such a parameter
   */
  state(shape: Shape, name: string): Readonly<Record<string, Shape>>
  /** One update of all slots: reads gradients, writes weights and state. */
  update(slots: readonly OptimizerSlot[], context: UpdateContext): Promise<void>
  /** Frees what it made for the updates with these workers (compiled programs), when no update is running. */
  close?(workers: KernelWorkers): void
}

/** Parameters that one optimizer updates, where a network has several: matrices with Muon, the rest with AdamW. */
export interface ParameterGroup {
  readonly parameters: Iterable<Parameter>
  readonly optimizer: Optimizer
}
