import { losses, type Parameter, traceNetwork } from '@enigma/nn'
import { type BoundRun, compile, type Device, type Executable, type HostTensor } from '@enigma/tensor'
import type { LlamaForCausalLM } from '../model/llama.js'

/** The mean next-token loss of fixed-size batches, compiled once; it reads the model's parameters as they are at each run. */
export class LossProgram {
  readonly tokens: BigInt64Array
  /** -100: not counted. */
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

  static async compile(
    model: LlamaForCausalLM,
    { batch, length, ...options }: { batch: number; length: number; threads?: number; spin?: boolean; device?: Device },
  ): Promise<LossProgram> {
    const { program, parameters } = traceNetwork(
      { tokens: { shape: [batch, length], dtype: 'i64' }, targets: { shape: [batch * length], dtype: 'i64' } },
      ({ tokens, targets }) => ({ loss: losses.crossEntropy(model.forward(tokens), targets) }),
    )
    return new LossProgram(await compile(program, options), parameters, batch, length)
  }

  /** Mean loss in nats of the batch in `tokens` and `targets`. */
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
