import { blockSize } from './block-size.js'
import { arrayOf } from './builder.js'
import { dtypes, type HostTensor, sizeOf } from './dtype.js'
import { TensorError } from './errors.js'
import { toOnnx } from './onnx/encode.js'
import { blockLayout, hasConvolution } from './passes/block-layout.js'
import { optimize } from './passes/index.js'
import type { Dims, Program } from './program.js'
import { type BoundRun, nativeRuntime, type Runtime, type Session, type SessionOptions } from './runtime/index.js'

export type Feeds = Readonly<Record<string, HostTensor>>

export interface CompileOptions extends SessionOptions {
  /** Default: ONNX Runtime's native library. */
  readonly runtime?: Runtime
  /** Hold images in blocks of channels where the processor has such kernels (`passes/block-layout.ts`). Default true. */
  readonly blockedLayout?: boolean
}

/** A compiled program: what `compile` returns. Release it when done; its memory is native. */
export class Executable {
  readonly program: Program
  readonly #session: Session

  constructor(program: Program, session: Session) {
    this.program = program
    this.#session = session
  }

  /**
   * Ties the program to buffers: every run reads `feeds` and writes `fetches` in place, without copies.
   * Outputs that are not named in `fetches` are not computed into any buffer.
   */
  bind(feeds: Feeds, fetches: Feeds): BoundRun {
    return this.#session.bind(feeds, fetches)
  }

  /** Runs once and returns fresh outputs. Sizes that are symbols are taken from the feeds. */
  async run(feeds: Feeds): Promise<Record<string, HostTensor>> {
    const sizes = this.#symbols(feeds)
    const fetches = Object.fromEntries(
      this.program.outputs.map(({ name, value }) => {
        const { dtype, shape } = this.program.values[value]!
        const concrete = shape.map((dim) => (typeof dim === 'number' ? dim : sizes.get(dim)!))
        return [name, { dtype, shape: concrete, data: new dtypes[dtype].array(sizeOf(concrete)) }]
      }),
    )
    const run = this.bind(feeds, fetches)
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

  #symbols(feeds: Feeds): Map<string, number> {
    const sizes = new Map<string, number>()
    for (const { name, value } of this.program.inputs) {
      const given = feeds[name]
      if (!given)
        throw new TensorError(
          'UNKNOWN_INPUT',
          `Input '${name}' is missing. Inputs: ${this.program.inputs.map((i) => i.name).join(', ')}.`,
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
  const { runtime = await nativeRuntime(), blockedLayout = true, ...session } = options
  const simple = optimize(program)
  const block = blockedLayout && hasConvolution(simple) && (session.device ?? 'cpu') === 'cpu' ? await blockSize(runtime) : 0
  const optimized = block > 0 ? blockLayout(simple, block) : simple
  return new Executable(optimized, await runtime.createSession(toOnnx(optimized), session))
}

/** Compiles, runs once and releases: for tests and one-off computations. Plain numbers become tensors of the input's type. */
export async function evaluate(
  program: Program,
  feeds: Readonly<Record<string, HostTensor | readonly number[]>>,
  options: CompileOptions = {},
): Promise<Record<string, HostTensor>> {
  const tensors = Object.fromEntries(
    program.inputs.map(({ name, value }) => {
      const { dtype, shape } = program.values[value]!
      const given = feeds[name] ?? []
      return [
        name,
        Array.isArray(given) ? { dtype, shape: shape as number[], data: arrayOf(dtype, given) } : (given as HostTensor),
      ]
    }),
  )
  const executable = await compile(program, options)
  try {
    return await executable.run(tensors)
  } finally {
    executable.release()
  }
}
