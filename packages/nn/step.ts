import {
  type BoundRun,
  compile,
  type Executable,
  grad,
  type HostTensor,
  type InputSpec,
  KernelWorkers,
  type Tensor,
} from '@enigma/tensor'
import { NnError } from './errors.js'
import type { Optimizer } from './optim/index.js'
import type { Parameter } from './parameter.js'
import { inputBuffer, StepMemory } from './step-memory.js'
import { traceNetwork } from './trace-network.js'

export interface TrainingStepOptions<I extends string> {
  /** The parameters to train, by name. What else the loss uses stays as it is, and so do those it does not use. */
  readonly parameters: Iterable<readonly [string, Parameter]>
  /** Shape and dtype of each input of a batch. */
  readonly inputs: Readonly<Record<I, InputSpec>>
  /** The scalar loss, traced once. */
  readonly loss: (inputs: Readonly<Record<I, Tensor>>) => Tensor
  readonly optimizer: Optimizer
  /** Largest global gradient norm; larger gradients are scaled down to it. Default: no clipping. */
  readonly clipNorm?: number
  /** Batches whose gradients are averaged before one update. Default 1. */
  readonly accumulate?: number
  /** Native threads. Default: all cores. */
  readonly threads?: number
  /** Native threads wait by spinning: faster, but they hold their cores. Default true. */
  readonly spin?: boolean
  /** Seed of dropout masks. Default 0. */
  readonly seed?: number
}

export interface StepResult {
  /** Mean loss over the accumulated batches, before the update. */
  readonly loss: number
  /** Global gradient norm before clipping. */
  readonly gradNorm: number
}

type Counters = { readonly updates: number; readonly runs: number }

/**
 * One compiled step of training: forward and backward in one native run that writes gradients in place, then clipping and
 * the optimizer in kernels of our own. (A weight must never be updated in the graph that still reads it.)
 *
 * The parameters' numbers move to shared memory, where the step updates them; a step compiled later over the same
 * parameters takes them over.
 */
export class TrainingStep<I extends string> {
  readonly inputs: Readonly<Record<I, HostTensor>>
  readonly #options: TrainingStepOptions<I>
  readonly #executable: Executable
  readonly #run: BoundRun
  readonly #memory: StepMemory
  readonly #workers = new KernelWorkers()
  readonly #loss: Float32Array
  #inFlight: Promise<unknown> | undefined
  #updates = 0
  #runs = 0

  /** @throws NnError INVALID_ARGUMENT when there is nothing to train; TensorError OUT_OF_MEMORY, RUNTIME_FAILED */
  static async compile<I extends string>(options: TrainingStepOptions<I>): Promise<TrainingStep<I>> {
    const names = new Map([...options.parameters].map(([name, parameter]) => [parameter, name]))
    const traced = traceNetwork(options.inputs, (inputs) => ({ loss: options.loss(inputs) }), { training: true })
    const trained = Object.entries(traced.parameters).flatMap(([input, parameter]) => {
      const name = names.get(parameter)
      return name !== undefined && parameter.requiresGrad ? [{ name, input, parameter }] : []
    })
    if (trained.length === 0)
      throw new NnError('INVALID_ARGUMENT', 'The loss uses no trainable parameter; there is nothing to train.')
    const program = grad(traced.program, { of: 'loss', wrt: trained.map(({ input }) => input) })
    const executable = await compile(program, {
      ...(options.threads !== undefined && { threads: options.threads }),
      ...(options.spin !== undefined && { spin: options.spin }),
    })
    let memory: StepMemory | undefined
    try {
      memory = new StepMemory(trained, executable.program, options.accumulate ?? 1)
      return new TrainingStep(options, executable, memory, traced.parameters)
    } catch (error) {
      memory?.dispose()
      executable.release()
      throw error
    }
  }

  private constructor(
    options: TrainingStepOptions<I>,
    executable: Executable,
    memory: StepMemory,
    captured: Readonly<Record<string, Parameter>>,
  ) {
    this.#options = options
    this.#executable = executable
    this.#memory = memory
    const { program } = executable
    this.inputs = Object.fromEntries(
      program.inputs
        .filter(({ name, random }) => !random && !(name in captured))
        .map(({ name, value }) => [name, inputBuffer(program, name, value)]),
    ) as Record<I, HostTensor>
    this.#loss = new Float32Array(1)
    this.#run = executable.bind(
      {
        ...this.inputs,
        ...captured,
        ...Object.fromEntries(memory.slots.map(({ input, weight }) => [input, weight])),
        ...Object.fromEntries(memory.randoms.map(({ input, tensor }) => [input, tensor])),
      },
      {
        loss: { dtype: 'f32', shape: [], data: this.#loss },
        ...Object.fromEntries(memory.slots.map(({ input, gradient }) => [`d.${input}`, gradient])),
      },
    )
    memory.adopt()
  }

  /** Updates made so far. */
  get updates(): number {
    return this.#updates
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
   * One update. `fill` writes batch `index` (0 … accumulate-1) into `inputs`.
   * @param learningRate overrides the optimizer's
   * @throws NnError NOT_FINITE when the loss or a gradient is not a number; the weights are as before then
   */
  async step(fill: (index: number) => void, learningRate = this.#options.optimizer.lr): Promise<StepResult> {
    return this.#exclusively(async () => {
      const loss = await this.#accumulateGradients(fill)
      const { slots } = this.#memory
      const gradNorm = Math.sqrt(await this.#workers.sumOfSquares(slots.map(({ sum }) => sum)))
      if (!Number.isFinite(loss) || !Number.isFinite(gradNorm))
        throw new NnError('NOT_FINITE', `The loss is ${loss}, the gradient norm ${gradNorm}; no update was made.`)
      const { betas, eps, weightDecay } = this.#options.optimizer
      const { clipNorm = Number.POSITIVE_INFINITY } = this.#options
      await this.#workers.adamw(
        slots.map(({ weight, sum, m, v, parameter }) => ({
          parameter: weight,
          gradient: sum,
          m,
          v,
          weightDecay: parameter.shape.length >= 2 ? weightDecay : 0,
        })),
        {
          learningRate,
          beta1: betas[0],
          beta2: betas[1],
          eps,
          step: this.#updates + 1,
          // As torch.nn.utils.clip_grad_norm_.
          gradientScale: Math.min(1, clipNorm / (gradNorm + 1e-6)),
        },
      )
      this.#updates++
      return { loss, gradNorm }
    })
  }

  /** Gradients of one batch without an update: for tests and analysis. The arrays are overwritten by the next call. */
  async gradients(fill: () => void): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    return this.#exclusively(async () => {
      const loss = await this.#runOnce(fill)
      const { slots } = this.#memory
      return { loss, gradients: Object.fromEntries(slots.map(({ name, gradient }) => [name, gradient.data as Float32Array])) }
    })
  }

  /** The optimizer's live state by parameter name, `m.<name>` and `v.<name>`. */
  optimizerState(): Record<string, HostTensor> {
    return Object.fromEntries(
      this.#memory.slots.flatMap(({ name, m, v }) => [[`m.${name}`, m] as const, [`v.${name}`, v] as const]),
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
    await this.#inFlight?.catch(() => undefined)
    this.#run.release()
    this.#executable.release()
    await this.#workers.close()
    this.#memory.dispose()
  }

  /** Gradients of all batches, averaged into the slots' sums; returns the mean loss. */
  async #accumulateGradients(fill: (index: number) => void): Promise<number> {
    const { accumulate = 1 } = this.#options
    const { slots } = this.#memory
    let loss = 0
    for (let index = 0; index < accumulate; index++) {
      loss += (await this.#runOnce(() => fill(index))) / accumulate
      if (accumulate === 1) break
      const sums = slots.map(({ sum }) => sum)
      if (index === 0) await this.#workers.fill(sums, 0)
      await this.#workers.axpy(
        1 / accumulate,
        slots.map(({ gradient }) => gradient),
        sums,
      )
    }
    return loss
  }

  async #runOnce(fill: () => void): Promise<number> {
    fill()
    for (const [stream, { source, tensor }] of this.#memory.randoms.entries()) {
      const offset = this.#runs * tensor.data.length
      await this.#workers.random('bernoulli', tensor, { seed: this.#options.seed ?? 0, stream, offset, p: source.p })
    }
    await this.#run.run()
    this.#runs++
    return this.#loss[0]!
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
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
