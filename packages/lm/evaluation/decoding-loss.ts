import { type BoundRun, compile, type Executable, type HostTensor } from '@enigma/tensor'
import type { ModelConfig } from '../config.js'
import { ignoredTarget } from '../data/epoch-windows.js'
import { decodingProgram } from '../generation/decoder.js'
import type { ModelWeights } from '../quantization/quantization.js'
import type { LossOptions, LossSource } from './measure-loss.js'

/** Tokens read at a time: so many rows of logits are held. */
const piece = 256

/**
 * The mean next-token loss by the program that answers, with the weights as they are stored and the kernels that multiply them: what
 * quantization costs, the rounding of activations included.
 */
export class DecodingLoss implements LossSource {
  readonly tokens: BigInt64Array
  readonly targets: BigInt64Array
  readonly #executable: Executable
  readonly #vocabSize: number
  readonly #caches: Readonly<Record<string, HostTensor>>
  readonly #length: number

  private constructor(executable: Executable, config: ModelConfig, batch: number, length: number) {
    const { layers, kvHeads, context, headDim, vocabSize } = config
    this.#executable = executable
    this.#vocabSize = vocabSize
    this.#length = length
    const shape = [1, kvHeads, context, headDim]
    const names = Array.from({ length: layers }, (_, layer) => [`keys.${layer}`, `values.${layer}`]).flat()
    const cache = (): HostTensor => ({ dtype: 'f32', shape, data: new Float32Array(kvHeads * context * headDim) })
    this.#caches = Object.fromEntries(names.map((name) => [name, cache()]))
    this.tokens = new BigInt64Array(batch * length)
    this.targets = new BigInt64Array(batch * length)
  }

  static async compile(
    config: ModelConfig,
    weights: ModelWeights,
    { batch, length, ...options }: LossOptions,
  ): Promise<DecodingLoss> {
    const program = decodingProgram(config, weights, { logits: 'every' })
    return new DecodingLoss(await compile(program, options), config, batch, length)
  }

  async run(): Promise<number> {
    let [nats, counted] = [0, 0]
    for (let window = 0; window < this.tokens.length; window += this.#length)
      for (let offset = 0; offset < this.#length; offset += piece) {
        const length = Math.min(piece, this.#length - offset)
        const logits = await this.#logits(window + offset, offset, length)
        for (let row = 0; row < length; row++) {
          const target = Number(this.targets[window + offset + row])
          if (target === ignoredTarget) continue
          nats += surprise(logits.subarray(row * this.#vocabSize, (row + 1) * this.#vocabSize), target)
          counted++
        }
      }
    return nats / counted
  }

  close(): void {
    this.#executable.release()
  }

  /** [length, vocabulary] after tokens that follow `offset` others of their window. */
  async #logits(start: number, offset: number, length: number): Promise<Float32Array> {
    const logits = new Float32Array(length * this.#vocabSize)
    const total = offset + length
    const fetches: Record<string, HostTensor> = { logits: { dtype: 'f32', shape: [1, length, this.#vocabSize], data: logits } }
    for (const [name, tensor] of Object.entries(this.#caches)) fetches[`new.${name}`] = tensor
    const run: BoundRun = this.#executable.bind(
      {
        tokens: { dtype: 'i64', shape: [1, length], data: this.tokens.slice(start, start + length) },
        last: { dtype: 'i32', shape: [1], data: Int32Array.of(total - 1) },
        total: { dtype: 'i32', shape: [1], data: Int32Array.of(total) },
        ...this.#caches,
      },
      fetches,
    )
    try {
      await run.run()
    } finally {
      run.release()
    }
    return logits
  }
}

/** -ln softmax(logits)[target] */
function surprise(logits: Float32Array, target: number): number {
  let peak = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > peak) peak = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - peak)
  return peak + Math.log(sum) - logits[target]!
}
