import {
  type BoundRun,
  compile,
  type Executable,
  type HostTensor,
  type KernelWorkers,
  type Shape,
  SharedArena,
  type SharedTensor,
  type Tensor,
  tensor,
  trace,
} from '@enigma/tensor'
import type { Optimizer, OptimizerSlot, UpdateContext } from './optimizer.js'

type Tensors = Readonly<Record<string, Tensor>>

/** An update in tensor operations. */
export interface TracedRule<Number extends string = string> {
  readonly kind: string
  readonly lr: number
  /** As `Optimizer.state`. */
  state(shape: Shape, name: string): Readonly<Record<string, Shape>>
  /** What changes from update to update, as scalars by name. */
  numbers(context: UpdateContext): Readonly<Record<Number, number>>
  /** New weight and state in terms of the old; the gradient is clipped already. `numbers` are of shape []. */
  next(old: { weight: Tensor; gradient: Tensor; state: Tensors; numbers: Readonly<Record<Number, Tensor>> }): {
    weight: Tensor
    state: Tensors
  }
}

/**
 * An optimizer written as a loss is, in tensor operations. The update is compiled once for each shape of parameter and step; for
 * elementwise rules over many millions of weights a kernel is faster.
 */
export function traced<Number extends string>(rule: TracedRule<Number>): Optimizer {
  const opened = new WeakMap<KernelWorkers, Map<string, ShapeUpdate>>()
  return {
    kind: rule.kind,
    lr: rule.lr,
    state: (shape, name) => rule.state(shape, name),
    async update(slots, context) {
      const { workers, gradientScale } = context
      const updates = opened.get(workers) ?? new Map<string, ShapeUpdate>()
      opened.set(workers, updates)
      const numbers = { ...rule.numbers(context), gradientScale }
      for (const slot of slots) {
        const key = slot.weight.shape.join()
        let update = updates.get(key)
        if (!update) updates.set(key, (update = await ShapeUpdate.compile(rule, slot, numbers, context)))
        await update.run(slot, numbers, workers)
      }
    },
    close(workers) {
      for (const update of opened.get(workers)?.values() ?? []) update.release()
      opened.delete(workers)
    },
  }
}

/** The compiled update of parameters of one shape. */
class ShapeUpdate {
  readonly #executable: Executable
  readonly #numbers: Readonly<Record<string, HostTensor>>
  readonly #arena: SharedArena
  /** Where a run writes: never where it reads, or a kernel might see a weight that is half new. */
  readonly #next: Readonly<Record<string, SharedTensor<'f32'>>>
  readonly #runs = new Map<SharedTensor, BoundRun>()

  static async compile<Number extends string>(
    rule: TracedRule<Number>,
    { weight, state }: OptimizerSlot,
    numbers: Readonly<Record<Number | 'gradientScale', number>>,
    { session }: UpdateContext,
  ): Promise<ShapeUpdate> {
    const { shape } = weight
    const numberNames = Object.keys(numbers) as (Number | 'gradientScale')[]
    const states = Object.entries(state)
    const inputs = {
      weight: { shape },
      gradient: { shape },
      ...Object.fromEntries(states.map(([name, { shape }]) => [`state.${name}`, { shape }])),
      ...Object.fromEntries(numberNames.map((name) => [`number.${name}`, { shape: [] }])),
    }
    const program = trace<string>(inputs, (tensors) => {
      const numbers = Object.fromEntries(numberNames.map((name) => [name, tensors[`number.${name}`]!])) as Record<
        Number | 'gradientScale',
        Tensor
      >
      const next = rule.next({
        weight: tensors.weight!,
        gradient: tensors.gradient!.mul(numbers.gradientScale),
        state: Object.fromEntries(states.map(([name]) => [name, tensors[`state.${name}`]!])),
        numbers,
      })
      const nextStates = states.map(([name, { shape }]) => [`next.${name}`, next.state[name]!.reshape(shape)])
      return { next: next.weight, ...Object.fromEntries(nextStates) }
    })
    // Parameters of several shapes take turns, and threads that spin after one program's turn would take time from the next.
    return new ShapeUpdate(await compile(program, { ...session, spin: false }), weight, state, numberNames)
  }

  private constructor(
    executable: Executable,
    weight: SharedTensor<'f32'>,
    state: OptimizerSlot['state'],
    numbers: readonly string[],
  ) {
    this.#executable = executable
    this.#numbers = Object.fromEntries(numbers.map((name) => [name, tensor([0], [])]))
    const written = { next: weight, ...prefixed('next', state) }
    const bytes = Object.values(written).reduce((sum, { data }) => sum + data.byteLength + 64, 0)
    this.#arena = new SharedArena({ bytes })
    this.#next = Object.fromEntries(
      Object.entries(written).map(([name, { shape }]) => [name, this.#arena.allocate('f32', shape)]),
    )
  }

  async run(slot: OptimizerSlot, numbers: Readonly<Record<string, number>>, workers: KernelWorkers): Promise<void> {
    for (const [name, value] of Object.entries(numbers)) (this.#numbers[name]!.data as Float32Array)[0] = value
    let run = this.#runs.get(slot.weight)
    if (!run) this.#runs.set(slot.weight, (run = this.#bind(slot)))
    await run.run()
    const current: Readonly<Record<string, SharedTensor<'f32'>>> = { next: slot.weight, ...prefixed('next', slot.state) }
    const names = Object.keys(this.#next)
    await workers.copy(
      names.map((name) => this.#next[name]!),
      names.map((name) => current[name]!),
    )
  }

  release(): void {
    for (const run of this.#runs.values()) run.release()
    this.#executable.release()
    this.#arena.dispose()
  }

  #bind({ weight, gradient, state }: OptimizerSlot): BoundRun {
    const feeds: Record<string, HostTensor> = {
      weight,
      gradient,
      ...prefixed('state', state),
      ...prefixed('number', this.#numbers),
    }
    // A rule need not use all that it is given.
    const used = new Set(this.#executable.program.inputs.map(({ name }) => name))
    return this.#executable.bind(Object.fromEntries(Object.entries(feeds).filter(([name]) => used.has(name))), this.#next)
  }
}

const prefixed = <T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}.${name}`, value]))
