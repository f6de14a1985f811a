import { nn } from '@enigma/nn'
import {
  addRmsNorm,
  type BoundRun,
  cachedAttention,
  compile,
  concat,
  type Device,
  type Executable,
  type Feeds,
  type HostTensor,
  rmsNorm,
  sizeOf,
  swiglu,
  type Tensor,
  trace,
} from '@enigma/tensor'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { ropeAngles } from '../model/rope.js'
import { parameterSpecs } from '../parameters.js'
import { bytesOf, type ModelWeights } from '../quantization/quantization.js'
import { StoredMatrices, stacked } from './stored-matrices.js'

/**
 * The decoding program: tokens [batch, length] and a key/value cache to the logits of one position and the grown cache.
 * Query, key and value projections are one product, gate and up another; weights are constants, which the runtime packs. Quantized ones are
 * multiplied as they are.
 * @param logits of one position (the input `position`), or of `every` one: [batch, length, vocabulary]
 * @throws LmError UNSUPPORTED_MODEL when head_dim is no multiple of 16 or the weights exceed 2 GiB; TENSOR_MISSING
 */
export function decodingProgram(
  config: ModelConfig,
  weights: ModelWeights,
  { logits: wanted = 'one' }: { readonly logits?: 'one' | 'every' } = {},
) {
  refuseUnsupported(config, weights)
  const { layers, heads, kvHeads, headDim, hidden, context, vocabSize, rmsNormEps, tieEmbeddings } = config
  const cacheShape = ['batch', kvHeads, context, headDim]
  const caches = Array.from({ length: layers }, (_, layer) => [`keys.${layer}`, `values.${layer}`]).flat()
  const inputs = {
    tokens: { shape: ['batch', 'length'], dtype: 'i64' },
    last: { shape: ['batch'], dtype: 'i32' },
    total: { shape: [1], dtype: 'i32' },
    ...(wanted === 'one' && { position: { shape: [1], dtype: 'i64' } as const }),
    ...Object.fromEntries(caches.map((name) => [name, { shape: cacheShape }])),
  } as const
  return trace<string>(inputs, (given, builder) => {
    const matrices = new StoredMatrices(weights, builder)
    const constant = (name: string) => matrices.vector(`${name}.weight`)
    /** x · Wᵀ (+ bias) for the weights of these layers, stacked. */
    const linear = (x: Tensor, biased: boolean, ...names: string[]) => {
      const product = matrices.product(x, ...names.map((name) => `${name}.weight`))
      if (!biased) return product
      const { data } = stacked(names.map((name) => matrices.float(`${name}.bias`)))
      return product.add(builder.constant(data, [data.length]))
    }
    /** Queries and keys of packed [batch, length, (heads + 2·kvHeads)·headDim] normalized head by head; values as they are. */
    const headsNormalized = (packed: Tensor, attention: string): Tensor => {
      if (!config.qkNorm) return packed
      const [batch, length, width] = packed.shape
      const sizes = [heads, kvHeads, kvHeads].map((count) => count * headDim)
      const parts = packed.split(sizes, -1) as [Tensor, Tensor, Tensor]
      const norm = (x: Tensor, name: string, count: number) =>
        rmsNorm(x.reshape([batch!, length!, count, headDim]), constant(`${attention}.${name}`), rmsNormEps).reshape(x.shape)
      const normed = [norm(parts[0], 'q_norm', heads), norm(parts[1], 'k_norm', kvHeads), parts[2]]
      return concat(normed, -1).reshape([batch!, length!, width!])
    }
    const { frequencies, scale } = ropeAngles(config)
    const { cosine, sine } = nn.rotaryTables(context, frequencies, scale)
    const tables = {
      cosine: builder.constant(cosine, [context, headDim / 2]),
      sine: builder.constant(sine, [context, headDim / 2]),
    }
    const outputs: Record<string, Tensor> = {}

    let stream = matrices.rows('model.embed_tokens.weight', given.tokens!)
    let update: Tensor | undefined
    const normalized = (name: string): Tensor => {
      if (!update) return rmsNorm(stream, constant(name), rmsNormEps)
      const [result, sum] = addRmsNorm(stream, update, constant(name), rmsNormEps)
      stream = sum
      return result
    }
    for (let layer = 0; layer < layers; layer++) {
      const at = `model.layers.${layer}`
      const attention = `${at}.self_attn`
      const projections = [`${attention}.q_proj`, `${attention}.k_proj`, `${attention}.v_proj`]
      const qkv = linear(normalized(`${at}.input_layernorm`), config.qkvBias, ...projections)
      const { output, keys, values } = cachedAttention(headsNormalized(qkv, attention), {
        keys: given[`keys.${layer}`]!,
        values: given[`values.${layer}`]!,
        last: given.last!,
        total: given.total!,
        ...tables,
        rotary: !config.noRopeLayers.includes(layer),
        window: config.slidingWindow ?? undefined,
      })
      outputs[`new.keys.${layer}`] = keys
      outputs[`new.values.${layer}`] = values
      update = linear(output, config.outputBias, `${attention}.o_proj`)
      const inner = [`${at}.mlp.gate_proj`, `${at}.mlp.up_proj`]
      const wide = linear(normalized(`${at}.post_attention_layernorm`), config.mlpBias, ...inner)
      const [gate, up] = wide.split([hidden, hidden], -1) as [Tensor, Tensor]
      update = linear(swiglu(gate, up), config.mlpBias, `${at}.mlp.down_proj`)
    }
    const final = normalized('model.norm')
    const head = (x: Tensor) => linear(x, false, tieEmbeddings ? 'model.embed_tokens' : 'lm_head')
    if (wanted === 'every') return { logits: head(final), ...outputs }
    return { logits: head(final.indexSelect(1, given.position!)).reshape(['batch', vocabSize]), ...outputs }
  })
}

/** A model's constants lie in one ONNX file, which holds less than 2 GiB; the rest is for its nodes. */
const constantBytesLimit = 2 ** 31 - 2 ** 21

/** @throws LmError UNSUPPORTED_MODEL naming what the native kernels or the file format cannot hold */
function refuseUnsupported(config: ModelConfig, weights: ModelWeights): void {
  const { headDim, context } = config
  if (headDim % 16 !== 0)
    throw new LmError(
      'UNSUPPORTED_MODEL',
      `The model's head_dim is ${headDim}; decoding needs a multiple of 16. Train with another dim or number of heads.`,
    )
  const sizes = parameterSpecs(config).map(({ name, shape }) => (weights[name] ? bytesOf(weights[name]) : 4 * sizeOf(shape)))
  const bytes = sizes.reduce((sum, size) => sum + size, 4 * context * headDim)
  if (bytes > constantBytesLimit)
    throw new LmError(
      'UNSUPPORTED_MODEL',
      `The model's weights take ${(bytes / 2 ** 30).toFixed(1)} GiB; models over 2 GiB are not served yet. Quantize it, or use a smaller one.`,
    )
}

export interface DecoderOptions {
  /** Native threads. Default: all cores. */
  readonly threads?: number
  readonly spin?: boolean
  /** Where it is computed: `cpu` (default), `webgpu` or `cuda`, if this build of ONNX Runtime and this machine have it. */
  readonly device?: Device
}

/** One text being decoded: its key/value cache and how far it is filled. */
export class Sequence {
  readonly caches: Readonly<Record<string, HostTensor>>
  /** Tokens in the cache. */
  length = 0
  readonly run: BoundRun
  readonly tokens = new BigInt64Array(1)
  readonly last = new Int32Array(1)
  readonly total = new Int32Array(1)
  readonly logits: Float32Array

  constructor(config: ModelConfig, executable: Executable) {
    const shape = [1, config.kvHeads, config.context, config.headDim]
    const size = config.kvHeads * config.context * config.headDim
    const names = Array.from({ length: config.layers }, (_, layer) => [`keys.${layer}`, `values.${layer}`]).flat()
    this.caches = Object.fromEntries(names.map((name) => [name, { dtype: 'f32', shape, data: new Float32Array(size) } as const]))
    this.logits = new Float32Array(config.vocabSize)
    this.run = this.bind(executable, this.tokens, new BigInt64Array(1))
  }

  bind(executable: Executable, tokens: BigInt64Array, position: BigInt64Array): BoundRun {
    const fetches: Record<string, HostTensor> = { logits: { dtype: 'f32', shape: [1, this.logits.length], data: this.logits } }
    // The new cache is written over the old one.
    for (const [name, tensor] of Object.entries(this.caches)) fetches[`new.${name}`] = tensor
    return executable.bind(
      {
        tokens: { dtype: 'i64', shape: [1, tokens.length], data: tokens },
        last: { dtype: 'i32', shape: [1], data: this.last },
        total: { dtype: 'i32', shape: [1], data: this.total },
        position: { dtype: 'i64', shape: [1], data: position },
        ...this.caches,
      },
      fetches,
    )
  }

  [Symbol.dispose](): void {
    this.run.release()
  }
}

/** Makes `to` a sequence that has read what `from` has: copies the filled part of the cache, and the last logits. */
export function copyFilled(from: Sequence, to: Sequence): void {
  for (const [name, { shape, data }] of Object.entries(from.caches)) {
    const [, heads, context, headDim] = shape as [number, number, number, number]
    for (let head = 0; head < heads; head++) {
      const start = head * context * headDim
      const filled = (data as Float32Array).subarray(start, start + from.length * headDim)
      const target = to.caches[name]!.data as Float32Array
      target.set(filled, start)
    }
  }
  to.logits.set(from.logits)
  to.length = from.length
}

/** Runs a model token by token with a key/value cache. */
export class Decoder {
  readonly config: ModelConfig
  readonly #executable: Executable

  private constructor(config: ModelConfig, executable: Executable) {
    this.config = config
    this.#executable = executable
  }

  /** @throws LmError UNSUPPORTED_MODEL when head_dim is no multiple of 16 or the weights exceed 2 GiB; TENSOR_MISSING */
  static async create(config: ModelConfig, weights: ModelWeights, options: DecoderOptions = {}): Promise<Decoder> {
    return new Decoder(config, await compile(decodingProgram(config, weights), options))
  }

  start(): Sequence {
    return new Sequence(this.config, this.#executable)
  }

  /** Ties the program to caches that lie elsewhere (`batching/`). */
  bind(feeds: Feeds, fetches: Feeds): BoundRun {
    return this.#executable.bind(feeds, fetches)
  }

  /**
   * Appends tokens to a sequence and returns the logits [vocabulary] after the last one. The array is overwritten by the
   * sequence's next call.
   * @param signal ends the computation; the sequence stays as it was before the call
   * @throws LmError CONTEXT_OVERFLOW when the sequence would exceed the model's context
   * @throws TensorError ABORTED when `signal` fires
   */
  async feed(sequence: Sequence, tokens: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const { context } = this.config
    const total = sequence.length + tokens.length
    if (tokens.length === 0)
      throw new LmError('EMPTY_PROMPT', 'There are no tokens to feed. Give a prompt of at least one token.')
    if (total > context)
      throw new LmError(
        'CONTEXT_OVERFLOW',
        `${total} tokens exceed the model's context of ${context}. Shorten the prompt or ask for fewer tokens.`,
      )
    sequence.last[0] = total - 1
    sequence.total[0] = total
    if (tokens.length === 1) {
      sequence.tokens[0] = BigInt(tokens[0]!)
      await sequence.run.run(signal)
    } else {
      const run = sequence.bind(this.#executable, BigInt64Array.from(tokens, BigInt), BigInt64Array.of(BigInt(tokens.length - 1)))
      try {
        await run.run(signal)
      } finally {
        run.release()
      }
    }
    sequence.length = total
    return sequence.logits
  }

  release(): void {
    this.#executable.release()
  }
}
