import { defaultRuntime, kernelModule } from '#platform'
import { blockSize } from './block-size.js'
import { arrayOf } from './builder.js'
import { callerLine } from './caller-line.js'
import { substitute } from './dims.js'
import { dtypes, type HostTensor, sizeOf } from './dtype.js'
import { TensorError } from './errors.js'
import { checkIndices, type IndexCheck, indexChecks } from './index-checks.js'
import { RandomFiller } from './kernels/random.js'
import { toOnnx } from './onnx/encode.js'
import { blockLayout, hasConvolution } from './passes/block-layout/index.js'
import { optimize } from './passes/index.js'
import type { Dims, Program } from './program.js'
import type { BoundRun, Runtime, Session, SessionOptions } from './runtime/runtime.js'

export type Feeds = Readonly<Record<string, HostTensor>>

export interface CompileOptions extends SessionOptions {
  /** Default: ONNX Runtime, as a native library under Node, as WebAssembly in a browser. */
  readonly runtime?: Runtime
  /** Hold images in blocks of channels where the processor has such kernels (`passes/block-layout/`). Default true. */
  readonly blockedLayout?: boolean
}

export interface RunOptions {
  /** Decides the numbers of random inputs that are not fed: the same seed gives the same numbers on every run. Default 0. */
  readonly seed?: number | bigint
}

/** A compiled program: what `compile` returns. Release it when done; its memory is native. */
export class Executable {
  readonly program: Program
  readonly #session: Session
  readonly #checks: readonly IndexCheck[]
  #filler: RandomFiller | undefined

  constructor(program: Program, session: Session) {
    this.program = program
    this.#session = session
    this.#checks = indexChecks(program)
  }

  /**
   * Ties the program to buffers: every run reads `feeds` and writes `fetches` in place, without copies.
   * Outputs that are not named in `fetches` are not computed into any buffer. Random inputs are buffers like the others here:
   * feed them and fill them before each run. A run throws INVALID_ARGUMENT for an index out of range, before it begins where
   * the index is fed.
   */
  bind(feeds: Feeds, fetches: Feeds): BoundRun {
    const bound = this.#session.bind(feeds, fetches)
    if (this.#checks.length === 0) return bound
    const check = () => {
      for (const check of this.#checks) checkIndices(check, feeds[check.input]!.data)
    }
    return {
      async run(signal) {
        check()
        await bound.run(signal)
      },
      runSync() {
        check()
        bound.runSync()
      },
      release: () => bound.release(),
    }
  }

  /** Runs once and returns fresh outputs. Sizes that are symbols are taken from the feeds. */
  async run(feeds: Feeds, { seed = 0 }: RunOptions = {}): Promise<Record<string, HostTensor>> {
    const sizes = this.#symbols(feeds)
    const fetches = Object.fromEntries(this.program.outputs.map(({ name, value }) => [name, this.#empty(value, sizes)]))
    const run = this.bind({ ...feeds, ...(await this.#randoms(feeds, sizes, seed)) }, fetches)
    try {
      await run.run()
    } finally {
      run.release()
    }
    return fetches
  }

  release(): void {
    this.#session.release()
  }

  #empty(value: number, sizes: ReadonlyMap<string, number>): HostTensor {
    const { dtype, shape } = this.program.values[value]!
    const concrete = shape.map((dim) => Number(substitute(dim, sizes)))
    return { dtype, shape: concrete, data: new dtypes[dtype].array(sizeOf(concrete)) }
  }

  /** The random inputs that are not fed, filled; each has a stream of its own under the seed, as in a training step. */
  async #randoms(feeds: Feeds, sizes: ReadonlyMap<string, number>, seed: number | bigint): Promise<Record<string, HostTensor>> {
    const filled: Record<string, HostTensor> = {}
    for (const [stream, { name, value, random }] of this.program.inputs.filter((input) => input.random).entries()) {
      if (!random || feeds[name]) continue
      const tensor = this.#empty(value, sizes)
      this.#filler ??= new RandomFiller(await kernelModule())
      this.#filler.fill(random.kind, tensor.data as Float32Array, { ...random, seed, stream })
      filled[name] = tensor
    }
    return filled
  }

  #symbols(feeds: Feeds): Map<string, number> {
    const sizes = new Map<string, number>()
    for (const { name, value, random } of this.program.inputs) {
      const given = feeds[name]
      if (!given && random) continue
      if (!given)
        throw new TensorError(
          'UNKNOWN_INPUT',
          `Input '${name}' is missing. Inputs: ${this.program.inputs.map((i) => i.name).join(', ')}.${callerLine()}`,
        )
      this.program.values[value]!.shape.forEach((dim: Dims[number], axis) => {
        if (typeof dim === 'string') sizes.set(dim, given.shape[axis]!)
      })
    }
    return sizes
  }
}

/** Optimises, encodes and loads a program. */
export async function compile(program: Program, options: CompileOptions = {}): Promise<Executable> {
  const { runtime = await defaultRuntime(), blockedLayout = true, ...session } = options
  const simple = optimize(program)
  const block = blockedLayout && hasConvolution(simple) && (session.device ?? 'cpu') === 'cpu' ? await blockSize(runtime) : 0
  const optimized = block > 0 ? blockLayout(simple, block) : simple
  return new Executable(optimized, await runtime.createSession(toOnnx(optimized), session))
}

const isNumbers = (given: HostTensor | readonly number[]): given is readonly number[] => Array.isArray(given)

/** Compiles, runs once and releases: for tests and one-off computations. Plain numbers become tensors of the input's type. */
export async function evaluate(
  program: Program,
  feeds: Readonly<Record<string, HostTensor | readonly number[]>>,
  { seed = 0, ...options }: CompileOptions & RunOptions = {},
): Promise<Record<string, HostTensor>> {
  const tensors: Record<string, HostTensor> = {}
  for (const { name, value } of program.inputs) {
    const { dtype, shape } = program.values[value]!
    const given = feeds[name]
    if (given) tensors[name] = isNumbers(given) ? { dtype, shape: shape as number[], data: arrayOf(dtype, given) } : given
  }
  const executable = await compile(program, options)
  try {
    return await executable.run(tensors, { seed })
  } finally {
    executable.release()
  }
}
