import { type AttentionOptions, dropout, scaledDotProductAttention, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { childSeed, type Seed } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Linear } from './linear.js'
import { RMSNorm } from './rms-norm.js'
import type { RotaryEmbedding } from './rotary-embedding.js'

export interface GroupedQueryAttentionOptions {
  readonly dim: number
  readonly heads: number
  /** Key and value heads; `heads` must be a multiple. Default `heads`. */
  readonly kvHeads?: number
  /** Default dim / heads. */
  readonly headDim?: number
  /** Biases on the query, key and value projections (Qwen2 has them). Default false. */
  readonly qkvBias?: boolean
  /** A bias on the output projection. Default false. */
  readonly outputBias?: boolean
  /** Normalize each head's queries and keys by their root mean square, with this epsilon (Qwen3). Default: not. */
  readonly qkNormEps?: number | undefined
  /** A query sees so many tokens, itself included (Mistral's sliding window). Default: all before it. */
  readonly window?: number | undefined
  /** Dropout on the result of the output projection. Default 0. */
  readonly dropout?: number
  readonly seed?: Seed
}

/** Causal self-attention with grouped queries and rotary positions; field names are Hugging Face's Llama's. */
export class GroupedQueryAttention extends Layer {
  readonly q_proj: Linear
  readonly k_proj: Linear
  readonly v_proj: Linear
  readonly o_proj: Linear
  readonly q_norm?: RMSNorm
  readonly k_norm?: RMSNorm
  readonly #heads: number
  readonly #kvHeads: number
  readonly #headDim: number
  readonly #window: number | undefined
  readonly #dropout: number

  constructor(options: GroupedQueryAttentionOptions) {
    super()
    const {
      dim,
      heads,
      kvHeads = heads,
      headDim = dim / heads,
      qkvBias = false,
      outputBias = false,
      qkNormEps,
      window,
      dropout: p = 0,
      seed,
    } = optionsOf('GroupedQueryAttention', options, 'dim: 64, heads: 4')
    if (heads % kvHeads !== 0)
      throw new NnError(
        'INVALID_ARGUMENT',
        `n_kv_heads (${kvHeads}) must divide evenly into n_heads (${heads}). Got remainder: ${heads % kvHeads}`,
      )
    this.#heads = heads
    this.#kvHeads = kvHeads
    this.#headDim = headDim
    this.#window = window
    this.#dropout = p
    this.q_proj = new Linear(dim, heads * headDim, { bias: qkvBias, seed: childSeed(seed, 0) })
    this.k_proj = new Linear(dim, kvHeads * headDim, { bias: qkvBias, seed: childSeed(seed, 1) })
    this.v_proj = new Linear(dim, kvHeads * headDim, { bias: qkvBias, seed: childSeed(seed, 2) })
    this.o_proj = new Linear(heads * headDim, dim, { bias: outputBias, seed: childSeed(seed, 3) })
    if (qkNormEps === undefined) return
    this.q_norm = new RMSNorm(headDim, { eps: qkNormEps })
    this.k_norm = new RMSNorm(headDim, { eps: qkNormEps })
  }

  /** x [batch·length, dim] → the same shape. Without `rotary`, the order of the tokens before shows in the mask alone. */
  override forward(x: Tensor, rotary: RotaryEmbedding | null, batch: number, length: number): Tensor {
    const split = (y: Tensor, heads: number) => y.reshape([batch, length, heads, this.#headDim]).transpose([0, 2, 1, 3])
    const normalized = (y: Tensor, norm?: RMSNorm) => (norm ? norm.forward(y) : y)
    const placed = (y: Tensor) => rotary?.apply(y) ?? y
    const q = placed(normalized(split(this.q_proj.forward(x), this.#heads), this.q_norm))
    const k = placed(normalized(split(this.k_proj.forward(x), this.#kvHeads), this.k_norm))
    const v = split(this.v_proj.forward(x), this.#kvHeads)
    const o = scaledDotProductAttention(q, k, v, windowed(x, length, this.#window))
    const merged = o.transpose([0, 2, 1, 3]).reshape([batch * length, this.#heads * this.#headDim])
    return dropout(this.o_proj.forward(merged), this.#dropout)
  }
}

/** Which keys a query sees: all before it, or the last `window`. A window as long as the text hides nothing. */
function windowed({ builder }: Tensor, length: number, window = length): AttentionOptions {
  if (window >= length) return { causal: true }
  const hidden = Float32Array.from({ length: length * length }, (_, index) => {
    const [query, key] = [Math.floor(index / length), index % length]
    return key > query || key <= query - window ? -1e9 : 0
  })
  return { causal: false, mask: builder.constant(hidden, [length, length]) }
}
