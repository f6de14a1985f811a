import { type CompileOptions, compile, type Executable, type HostTensor, type InputSpec, type Tensor } from '@enigma/tensor'
import type { Layer } from './layer.js'
import { ProgramCache } from './program-cache.js'
import { type TracedNetwork, traceNetwork } from './trace-network.js'

interface Compiled {
  readonly traced: TracedNetwork
  readonly executable: Executable
}

/** Runs a network in evaluation (no dropout, running statistics): compiled once for each shape of inputs. */
export class Predictor {
  readonly #layer: Layer
  readonly #options: CompileOptions
  readonly #programs = new ProgramCache<Compiled>(({ executable }) => executable.release())
  #last: Readonly<Record<string, InputSpec>> | undefined

  constructor(layer: Layer, options: CompileOptions = {}) {
    this.#layer = layer
    this.#options = options
  }

  /** Shapes of the inputs that were given last: `x`, or `x0`, `x1` … */
  get lastInputs(): Readonly<Record<string, InputSpec>> | undefined {
    return this.#last
  }

  async predict(inputs: readonly HostTensor[]): Promise<HostTensor> {
    this.#last = Object.fromEntries(
      inputs.map(({ dtype, shape }, index) => [inputs.length === 1 ? 'x' : `x${index}`, { dtype, shape }]),
    )
    const key = JSON.stringify(inputs.map(({ dtype, shape }) => [dtype, shape]))
    const { traced, executable } = await this.#programs.get(key, () => this.#compile(inputs))
    const feeds = Object.fromEntries(inputs.map((input, index) => [`x${index}`, input]))
    const { y } = await executable.run({ ...feeds, ...traced.parameters, ...traced.buffers })
    return y!
  }

  /** Frees the programs; the next call compiles again. To be called when a network's structure has changed. */
  release(): Promise<void> {
    return this.#programs.release()
  }

  async #compile(inputs: readonly HostTensor[]): Promise<Compiled> {
    const specs = Object.fromEntries(inputs.map(({ dtype, shape }, index) => [`x${index}`, { dtype, shape }]))
    const forward = this.#layer.forward.bind(this.#layer) as (...inputs: Tensor[]) => Tensor
    const traced = traceNetwork<string>(specs, (tensors) => ({ y: forward(...inputs.map((_, index) => tensors[`x${index}`]!)) }))
    return { traced, executable: await compile(traced.program, this.#options) }
  }
}
