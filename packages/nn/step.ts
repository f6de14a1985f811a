import {
  type BoundRun,
  compile,
  type Executable,
  grad,
  type HostTensor,
  type InputSpec,
  KernelWorkers,
  type Program,
  type RandomSource,
  SharedArena,
  type SharedTensor,
  sizeOf,
  type Tensor,
} from '@enigma/tensor'
import { NnError } from './errors.js'
import type { Optimizer } from './optim/index.js'
import type { Parameter } from './parameter.js'
import { traceNetwork } from './trace-network.js'

export interface TrainingStepOptions<I extends string> {
  /** The parameters that may be trained, by name. Those the loss does not use are left alone. */
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

interface Slot {
  readonly name: string
  readonly parameter: Parameter
  readonly weight: SharedTensor
  readonly gradient: SharedTensor
  readonly m: SharedTensor
  readonly v: SharedTensor
}

/**
 * One compiled step of training: forward and backward in one native run that writes gradients in place, then clipping and
 * the optimizer in kernels of our own. (A weight must never be updated in the graph that still reads it.)
 *
 * The parameters' numbers move to shared memory, where the step updates them.
 */
export class TrainingStep<I extends string> {
  readonly inputs: Readonly<Record<I, HostTensor>>
  readonly #optimizer: Optimizer
  readonly #clipNorm: number
  readonly #accumulate: number
  readonly #seed: number
  readonly #executable: Executable
  readonly #run: BoundRun
  readonly #arena: SharedArena
  readonly #workers: KernelWorkers
  readonly #slots: readonly Slot[]
  readonly #sums: readonly SharedTensor[]
  readonly #loss: Float32Array
  readonly #randoms: readonly { source: RandomSource; tensor: SharedTensor }[]
  #updates = 0
  #runs = 0

  static async compile<I extends string>(options: TrainingStepOptions<I>): Promise<TrainingStep<I>> {
    const traced = traceNetwork(options.inputs, (inputs) => ({ loss: options.loss(inputs) }), { training: true })
    const { program } = traced
    const captured = new Map(Object.entries(traced.parameters))
    const wanted = [...captured].filter(([, parameter]) => parameter.requiresGrad)
    if (wanted.length === 0)
      throw new NnError('INVALID_ARGUMENT', 'The loss uses no trainable parameter; there is nothing to train.')
    const differentiated = grad(program, { of: 'loss', wrt: wanted.map(([name]) => name) })
    const executable = await compile(differentiated, {
      ...(options.threads !== undefined && { threads: options.threads }),
      ...(options.spin !== undefined && { spin: options.spin }),
    })
    return new TrainingStep(options, executable, captured)
  }

  private constructor(options: TrainingStepOptions<I>, executable: Executable, captured: ReadonlyMap<string, Parameter>) {
    const { optimizer, clipNorm = Number.POSITIVE_INFINITY, accumulate = 1, seed = 0 } = options
    this.#optimizer = optimizer
    this.#clipNorm = clipNorm
    this.#accumulate = accumulate
    this.#seed = seed
    this.#executable = executable
    this.#workers = new KernelWorkers()
    const { program } = executable

    const names = new Map([...options.parameters].map(([name, parameter]) => [parameter, name]))
    const trained = [...captured].filter(([, parameter]) => parameter.requiresGrad)
    const randomInputs = program.inputs.flatMap(({ value, random, name }) =>
      random ? [{ name, source: random, shape: program.values[value]!.shape as readonly number[] }] : [],
    )
    const copies = accumulate > 1 ? 5 : 4
    const floats =
      trained.reduce((sum, [, parameter]) => sum + copies * padded(parameter.size), 0) +
      randomInputs.reduce((sum, { shape }) => sum + padded(sizeOf(shape)), 0)
    this.#arena = new SharedArena({ bytes: floats * 4 + 65536 })

    const weights = trained.map(([, { shape }]) => this.#arena.allocate('f32', shape))
    const gradients = trained.map(([, { shape }]) => this.#arena.allocate('f32', shape))
    const ms = trained.map(([, { shape }]) => this.#arena.allocate('f32', shape))
    const vs = trained.map(([, { shape }]) => this.#arena.allocate('f32', shape))
    this.#sums = accumulate > 1 ? trained.map(([, { shape }]) => this.#arena.allocate('f32', shape)) : []
    this.#slots = trained.map(([input, parameter], index) => {
      const weight = weights[index]!
      ;(weight.data as Float32Array).set(parameter.data)
      parameter.data = weight.data as Float32Array
      const name = names.get(parameter) ?? input
      return { name, parameter, weight, gradient: gradients[index]!, m: ms[index]!, v: vs[index]! }
    })
    this.#randoms = randomInputs.map(({ source, shape }) => ({ source, tensor: this.#arena.allocate('f32', shape) }))

    this.inputs = Object.fromEntries(
      program.inputs
        .filter(({ name, random }) => !random && !captured.has(name))
        .map(({ name, value }) => [name, hostTensor(program, value)]),
    ) as Record<I, HostTensor>
    this.#loss = new Float32Array(1)
    const feeds: Record<string, HostTensor> = { ...this.inputs }
    for (const [name, parameter] of captured) feeds[name] = parameter
    randomInputs.forEach(({ name }, index) => {
      feeds[name] = this.#randoms[index]!.tensor
    })
    const fetches: Record<string, HostTensor> = { loss: { dtype: 'f32', shape: [], data: this.#loss } }
    trained.forEach(([input], index) => {
      fetches[`d.${input}`] = gradients[index]!
    })
    this.#run = executable.bind(feeds, fetches)
  }

  /** Updates made so far. */
  get updates(): number {
    return this.#updates
  }

  /**
   * One update. `fill` writes batch `index` (0 … accumulate-1) into `inputs`.
   * @param learningRate overrides the optimizer's
   */
  async step(fill: (index: number) => void, learningRate = this.#optimizer.lr): Promise<StepResult> {
    const gradients = this.#slots.map(({ gradient }) => gradient)
    let loss = 0
    for (let index = 0; index < this.#accumulate; index++) {
      fill(index)
      await this.#fillRandoms()
      await this.#run.run()
      this.#runs++
      loss += this.#loss[0]! / this.#accumulate
      if (this.#accumulate > 1) {
        if (index === 0) await this.#workers.fill(this.#sums, 0)
        await this.#workers.axpy(1 / this.#accumulate, gradients, this.#sums)
      }
    }
    const reduced = this.#accumulate > 1 ? this.#sums : gradients
    const gradNorm = Math.sqrt(await this.#workers.sumOfSquares(reduced))
    const { betas, eps, weightDecay } = this.#optimizer
    const segments = this.#slots.map(({ weight, m, v, parameter }, index) => ({
      parameter: weight,
      gradient: reduced[index]!,
      m,
      v,
      weightDecay: parameter.shape.length >= 2 ? weightDecay : 0,
    }))
    this.#updates++
    await this.#workers.adamw(segments, {
      learningRate,
      beta1: betas[0],
      beta2: betas[1],
      eps,
      step: this.#updates,
      // As torch.nn.utils.clip_grad_norm_.
      gradientScale: Math.min(1, this.#clipNorm / (gradNorm + 1e-6)),
    })
    return { loss, gradNorm }
  }

  /** Gradients of one batch without an update: for tests and analysis. The arrays are overwritten by the next call. */
  async gradients(fill: () => void): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    fill()
    await this.#fillRandoms()
    await this.#run.run()
    return {
      loss: this.#loss[0]!,
      gradients: Object.fromEntries(this.#slots.map(({ name, gradient }) => [name, gradient.data as Float32Array])),
    }
  }

  /** The optimizer's live state by parameter name, `m.<name>` and `v.<name>`. */
  optimizerState(): Record<string, HostTensor> {
    return Object.fromEntries(this.#slots.flatMap(({ name, m, v }) => [[`m.${name}`, m] as const, [`v.${name}`, v] as const]))
  }

  /** What else a continued run needs besides weights and optimizer state. */
  get counters(): { updates: number; runs: number } {
    return { updates: this.#updates, runs: this.#runs }
  }

  /** Continues from saved optimizer state and counters. @throws NnError STATE_MISMATCH */
  restore(state: Readonly<Record<string, HostTensor>>, counters: { updates: number; runs: number }): void {
    for (const [name, tensor] of Object.entries(this.optimizerState())) {
      const given = state[name]
      if (!given || given.data.length !== tensor.data.length)
        throw new NnError('STATE_MISMATCH', `The optimizer state has no tensor '${name}' of ${tensor.data.length} elements.`)
      ;(tensor.data as Float32Array).set(given.data as Float32Array)
    }
    this.#updates = counters.updates
    this.#runs = counters.runs
  }

  /** Frees native and shared memory. The parameters keep their numbers in arrays of their own. */
  async close(): Promise<void> {
    for (const { parameter } of this.#slots) parameter.data = Float32Array.from(parameter.data)
    this.#run.release()
    this.#executable.release()
    await this.#workers.close()
    this.#arena.dispose()
  }

  async #fillRandoms(): Promise<void> {
    for (const [stream, { source, tensor }] of this.#randoms.entries())
      await this.#workers.random('bernoulli', tensor, {
        seed: this.#seed,
        stream,
        offset: this.#runs * tensor.data.length,
        p: source.p,
      })
  }
}

const padded = (size: number) => Math.ceil(size / 16) * 16

function hostTensor(program: Program, value: number): HostTensor {
  const { dtype, shape } = program.values[value]!
  const sizes = shape as readonly number[]
  const data =
    dtype === 'i64'
      ? new BigInt64Array(sizeOf(sizes))
      : dtype === 'i32'
        ? new Int32Array(sizeOf(sizes))
        : new Float32Array(sizeOf(sizes))
  return { dtype, shape: sizes, data }
}
