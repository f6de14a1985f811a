import { type Device, type HostTensor, type InputSpec, KernelWorkers, sizeOf, type Tensor } from '@enigma/tensor'
import { NnError } from './errors.js'
import { KeptBuffers } from './kept-buffers.js'
import { type ClipOptions, checkClipping, clipGradients } from './optim/clip.js'
import type { Optimizer, ParameterGroup } from './optim/index.js'
import type { Parameter } from './parameter.js'
import { leadingOptimizer, settled, trainedOf } from './parameter-groups.js'
import { ProgramCache } from './program-cache.js'
import { checkReplicas, mostReplicas, type ReplicaOptions, split } from './replicas.js'
import { type Slot, StepMemory } from './step-memory.js'
import { StepProgram, type TracedLoss, traceLoss } from './step-program.js'
import type { TracedNetwork } from './trace-network.js'

export interface TrainingStepOptions<I extends string> extends ClipOptions, ReplicaOptions {
  /** The parameters to train, by name. What else the loss uses stays as it is, and so do those it does not use. */
  readonly parameters: Iterable<readonly [string, Parameter]>
  /** Shape and dtype of each input of a batch. */
  readonly inputs: Readonly<Record<I, InputSpec>>
  /** The scalar loss, or the loss and further results by name; traced for each shape of batches, and for that of their parts. */
  readonly loss: (inputs: Readonly<Record<I, Tensor>>) => TracedLoss
  /** One for all parameters, or groups of parameters with one each; those in no group are not trained. */
  readonly optimizer: Optimizer | readonly ParameterGroup[]
  /** Batches whose gradients are averaged before one update. Default 1. */
  readonly accumulate?: number
  /** Native threads. Default: all cores. */
  readonly threads?: number
  /** Native threads wait by spinning: faster, but they hold their cores. Default true. */
  readonly spin?: boolean
  /** Where the native program runs. Default `cpu`. */
  readonly device?: Device
  /** Seed of dropout masks. Default 0. */
  readonly seed?: number
  /** What else than shapes the loss depends on at first; see `reshape`. */
  readonly variant?: string
}

export interface StepResult {
  /** Mean loss over the accumulated batches, before the update. */
  readonly loss: number
  /** Global gradient norm before clipping. */
  readonly gradNorm: number
}

type Counters = { readonly updates: number; readonly runs: number }

const shapesKey = (inputs: Readonly<Record<string, InputSpec>>) =>
  JSON.stringify(Object.entries(inputs).map(([name, { shape, dtype = 'f32' }]) => [name, dtype, shape]))

/**
 * One compiled step of training: forward and backward in one native run that writes gradients in place, then clipping and
 * the optimizer in kernels of our own. (A weight must never be updated in the graph that still reads it.)
 *
 * The parameters' numbers move to shared memory, where the step updates them; a step compiled later over the same
 * parameters takes them over.
 */
export class TrainingStep<I extends string> {
  readonly #options: TrainingStepOptions<I>
  readonly #programs = new ProgramCache<StepProgram<I>>((program) => program.release())
  readonly #memory: StepMemory
  readonly #workers = new KernelWorkers()
  #program: StepProgram<I>
  #inFlight: Promise<unknown> | undefined
  #closed = false
  #updates = 0
  #runs = 0

  /** @throws NnError INVALID_ARGUMENT when there is nothing to train or a setting is out of range; TensorError OUT_OF_MEMORY, RUNTIME_FAILED */
  static async compile<I extends string>(given: TrainingStepOptions<I>): Promise<TrainingStep<I>> {
    const options = { ...given, parameters: [...given.parameters], optimizer: settled(given.optimizer) }
    checkClipping(options)
    checkReplicas(options)
    const traced = traceLoss(options.inputs, options.loss)
    const trained = trainedOf(options, new Set(Object.values(traced.parameters)))
    if (trained.length === 0)
      throw new NnError('INVALID_ARGUMENT', 'The loss uses no trainable parameter; there is nothing to train.')
    const size = trained.reduce((sum, { parameter }) => sum + sizeOf(parameter.shape), 0)
    const memory = new StepMemory(trained, options.accumulate ?? 1, mostReplicas(options, size))
    try {
      const program = await TrainingStep.#load(traced, options.inputs, memory, options)
      return new TrainingStep(options, memory, program)
    } catch (error) {
      memory.dispose()
      throw error
    }
  }

  private constructor(options: TrainingStepOptions<I>, memory: StepMemory, program: StepProgram<I>) {
    this.#options = options
    this.#memory = memory
    this.#program = program
    void this.#programs.get(`${options.variant ?? ''}${shapesKey(options.inputs)}`, async () => program)
    memory.adopt()
  }

  /** The next batch: write into these. They change with `reshape`. */
  get inputs(): Readonly<Record<I, HostTensor>> {
    return this.#program.inputs
  }

  /** What was traced besides the loss, as the last run left it; overwritten by the next. */
  get outputs(): Readonly<Record<string, HostTensor>> {
    return this.#program.outputs
  }

  /** Equal parts of a batch like the present one that are computed at the same time. */
  get replicas(): number {
    return this.#program.replicas
  }

  /** Updates made so far. */
  get updates(): number {
    return this.#updates
  }

  /**
   * Prepares for batches of other shapes; weights and optimizer go on. A shape seen lately costs nothing.
   * @param variant what else the traced loss depends on, such as the modes of layers: another text, another program
   */
  async reshape(inputs: Readonly<Record<I, InputSpec>>, variant = ''): Promise<void> {
    const key = `${variant}${shapesKey(inputs)}`
    this.#program = await this.#programs.get(key, () => this.#compile(inputs))
  }

  async #compile(inputs: Readonly<Record<I, InputSpec>>): Promise<StepProgram<I>> {
    const traced = traceLoss(inputs, this.#options.loss)
    const known = new Set(this.#memory.slots.map(({ parameter }) => parameter))
    const late = trainedOf(this.#options, new Set(Object.values(traced.parameters))).find(
      ({ parameter }) => !known.has(parameter),
    )
    if (late)
      throw new NnError(
        'INVALID_ARGUMENT',
        `Parameter '${late.name}' was frozen when this step was compiled, and has no optimizer state. Compile a new step to train it.`,
      )
    return TrainingStep.#load(traced, inputs, this.#memory, this.#options)
  }

  /** @throws NnError INVALID_ARGUMENT when `replicas` cannot be */
  static async #load<I extends string>(
    whole: TracedNetwork,
    inputs: Readonly<Record<I, InputSpec>>,
    memory: StepMemory,
    options: TrainingStepOptions<I>,
  ): Promise<StepProgram<I>> {
    const trace = (specs: Readonly<Record<I, InputSpec>>) => traceLoss(specs, options.loss)
    const forced = options.replicas !== undefined
    return StepProgram.compile<I>(whole, split({ whole, inputs, trace, most: memory.replicas, forced }), memory.slots, options)
  }

  /** Writes numbers into an input of the next batch, whatever its dtype. */
  set(input: I, values: ArrayLike<number>): void {
    const { data } = this.inputs[input]
    if (data.length !== values.length)
      throw new NnError('SHAPE_MISMATCH', `Input '${input}' holds ${data.length} numbers, got ${values.length}.`)
    if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(values[i]!)
    else data.set(values)
  }

  /**
   * One update. `fill` writes batch `index` (0 … accumulate-1) into `inputs`, after a `reshape` if it has other shapes.
   * @param learningRate overrides the optimizer's; of several groups that of `leadingOptimizer`, and the others change by the same factor
   * @throws NnError NOT_FINITE when the loss or a gradient is not a number; then weights, optimizer state and running statistics
   * are as before the step, those of all accumulated batches included
   */
  async step(fill: (index: number) => void | Promise<void>, learningRate?: number): Promise<StepResult> {
    if (learningRate !== undefined && !(learningRate >= 0 && Number.isFinite(learningRate)))
      throw new NnError('INVALID_ARGUMENT', `A learning rate must be a number from 0, got ${learningRate}.`)
    return this.#exclusively(async () => {
      const kept = new KeptBuffers()
      try {
        return await this.#update(fill, kept, learningRate)
      } catch (error) {
        kept.restore()
        throw error
      }
    })
  }

  async #update(
    fill: (index: number) => void | Promise<void>,
    kept: KeptBuffers,
    learningRate: number | undefined,
  ): Promise<StepResult> {
    const loss = await this.#accumulateGradients(fill, kept)
    const slots = this.#memory.slots.filter(({ parameter }) => parameter.requiresGrad)
    const gradients = slots.map(({ gradient }) => gradient)
    const gradNorm = Math.sqrt(await this.#workers.sumOfSquares(gradients))
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
      throw new NnError('NOT_FINITE', `The loss is ${loss}, the gradient norm ${gradNorm}; no update was made.`)
    const gradientScale = await clipGradients(this.#workers, gradients, gradNorm, this.#options)
    const step = this.#updates + 1
    const groups = new Map<Optimizer, Slot[]>()
    for (const slot of slots) {
      const group = groups.get(slot.optimizer)
      if (group) group.push(slot)
      else groups.set(slot.optimizer, [slot])
    }
    const leader = leadingOptimizer(this.#options)
    const factor = learningRate === undefined || leader.lr === 0 ? 1 : learningRate / leader.lr
    for (const [optimizer, group] of groups)
      await optimizer.update(group, {
        workers: this.#workers,
        learningRate: optimizer === leader ? (learningRate ?? optimizer.lr) : optimizer.lr * factor,
        step,
        gradientScale,
        session: this.#options,
      })
    this.#updates = step
    return { loss, gradNorm }
  }

  /** Gradients of one batch; nothing else changes, running statistics included. The arrays are overwritten by the next call. */
  async gradients(fill: () => void): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    return this.#exclusively(async () => {
      await fill()
      const loss = await this.#program.run(this.#workers, this.#options.seed ?? 0, this.#runs)
      const { slots } = this.#memory
      return { loss, gradients: Object.fromEntries(slots.map(({ name, output }) => [name, output.data])) }
    })
  }

  /** The optimizer's live state by parameter name: `<state>.<name>`, such as AdamW's `m.<name>` and `v.<name>`. */
  optimizerState(): Record<string, HostTensor> {
    return Object.fromEntries(
      this.#memory.slots.flatMap(({ name, state }) =>
        Object.entries(state).map(([kind, tensor]) => [`${kind}.${name}`, tensor] as const),
      ),
    )
  }

  /** What else a continued run needs besides weights and optimizer state. */
  get counters(): Counters {
    return { updates: this.#updates, runs: this.#runs }
  }

  /** Continues from saved optimizer state and counters. @throws NnError STATE_MISMATCH */
  restore(state: Readonly<Record<string, HostTensor>>, counters: Counters): void {
    const own = Object.entries(this.optimizerState())
    const missing = own.find(([name, { data }]) => state[name]?.data.length !== data.length)
    if (missing)
      throw new NnError(
        'STATE_MISMATCH',
        `The optimizer state has no tensor '${missing[0]}' of ${missing[1].data.length} elements.`,
      )
    for (const [name, tensor] of own) (tensor.data as Float32Array).set(state[name]!.data as Float32Array)
    this.#updates = counters.updates
    this.#runs = counters.runs
  }

  /** Waits for a step in flight, then frees native and shared memory. The parameters keep their numbers. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#inFlight?.catch(() => undefined)
    await this.#programs.release()
    for (const optimizer of new Set(this.#memory.slots.map((slot) => slot.optimizer))) optimizer.close?.(this.#workers)
    await this.#workers.close()
    this.#memory.dispose()
  }

  /** Gradients of all batches, averaged into the slots; returns the mean loss. */
  async #accumulateGradients(fill: (index: number) => void | Promise<void>, kept: KeptBuffers): Promise<number> {
    const { accumulate = 1 } = this.#options
    const { slots } = this.#memory
    let loss = 0
    for (let index = 0; index < accumulate; index++) {
      loss += (await this.#runOnce(() => fill(index), kept)) / accumulate
      if (accumulate === 1) break
      const sums = slots.map(({ gradient }) => gradient)
      if (index === 0) await this.#workers.fill(sums, 0)
      await this.#workers.axpy(
        1 / accumulate,
        slots.map(({ output }) => output),
        sums,
      )
    }
    return loss
  }

  async #runOnce(fill: () => void | Promise<void>, kept: KeptBuffers): Promise<number> {
    await fill()
    const loss = await this.#program.run(this.#workers, this.#options.seed ?? 0, this.#runs)
    this.#program.updateBuffers(kept)
    this.#runs++
    return loss
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new NnError('INVALID_ARGUMENT', 'This step is closed. Compile a new one.')
    if (this.#inFlight) throw new NnError('INVALID_ARGUMENT', 'A step is still running: await it before the next one.')
    this.#memory.assertOwned()
    const promise = work()
    this.#inFlight = promise
    try {
      return await promise
    } finally {
      this.#inFlight = undefined
    }
  }
}
