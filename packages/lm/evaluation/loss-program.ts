import { losses, type Parameter, traceNetwork } from '@enigma/nn'
import { type BoundRun, compile, type Executable, type HostTensor } from '@enigma/tensor'
import type { LlamaForCausalLM } from '../model/llama.js'
import type { LossOptions, LossSource } from './measure-loss.js'

/** The mean next-token loss of fixed-size batches, compiled once; it reads the model's parameters as they are at each run. */
export class LossProgram implements LossSource {
  readonly tokens: BigInt64Array
  readonly targets: BigInt64Array
  readonly #executable: Executable
  readonly #parameters: Readonly<Record<string, Parameter>>
  readonly #loss = new Float32Array(1)
  readonly #shapes: { readonly batch: number; readonly length: number }

  private constructor(executable: Executable, parameters: Readonly<Record<string, Parameter>>, batch: number, length: number) {
    this.#executable = executable
    this.#parameters = parameters
    this.#shapes = { batch, length }
    this.tokens = new BigInt64Array(batch * length)
    this.targets = new BigInt64Array(batch * length)
  }

  static async compile(model: LlamaForCausalLM, { batch, length, ...options }: LossOptions): Promise<LossProgram> {
    const { program, parameters } = traceNetwork(
      { tokens: { shape: [batch, length], dtype: 'i64' }, targets: { shape: [batch * length], dtype: 'i64' } },
      ({ tokens, targets }) => ({ loss: losses.crossEntropy(model.forward(tokens), targets) }),
    )
    return new LossProgram(await compile(program, options), parameters, batch, length)
  }

  async run(): Promise<number> {
    const { batch, length } = this.#shapes
    const feeds: Record<string, HostTensor> = {
      ...this.#parameters,
      tokens: { dtype: 'i64', shape: [batch, length], data: this.tokens },
      targets: { dtype: 'i64', shape: [batch * length], data: this.targets },
    }
    const run: BoundRun = this.#executable.bind(feeds, { loss: { dtype: 'f32', shape: [], data: this.#loss } })
    try {
      await run.run()
    } finally {
      run.release()
    }
    return this.#loss[0]!
  }

  close(): void {
    this.#executable.release()
  }
}
