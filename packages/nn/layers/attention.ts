import { dropout, scaledDotProductAttention, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { childSeed, type Seed } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Linear } from './linear.js'
import type { RotaryEmbedding } from './rotary-embedding.js'

export interface GroupedQueryAttentionOptions {
  readonly dim: number
  readonly heads: number
  /** Key and value heads; `heads` must be a multiple. Default `heads`. */
  readonly kvHeads?: number
  /** Default dim / heads. */
  readonly headDim?: number
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
  readonly #heads: number
  readonly #kvHeads: number
  readonly #headDim: number
  readonly #dropout: number

  constructor(options: GroupedQueryAttentionOptions) {
    super()
    const {
      dim,
      heads,
      kvHeads = heads,
      headDim = dim / heads,
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
    this.#dropout = p
    this.q_proj = new Linear(dim, heads * headDim, { bias: false, seed: childSeed(seed, 0) })
    this.k_proj = new Linear(dim, kvHeads * headDim, { bias: false, seed: childSeed(seed, 1) })
    this.v_proj = new Linear(dim, kvHeads * headDim, { bias: false, seed: childSeed(seed, 2) })
    this.o_proj = new Linear(heads * headDim, dim, { bias: false, seed: childSeed(seed, 3) })
  }

  /** x [batch·length, dim] → the same shape. */
  override forward(x: Tensor, rotary: RotaryEmbedding, batch: number, length: number): Tensor {
    const split = (y: Tensor, heads: number) => y.reshape([batch, length, heads, this.#headDim]).transpose([0, 2, 1, 3])
    const q = rotary.apply(split(this.q_proj.forward(x), this.#heads))
    const k = rotary.apply(split(this.k_proj.forward(x), this.#kvHeads))
    const v = split(this.v_proj.forward(x), this.#kvHeads)
    const o = scaledDotProductAttention(q, k, v, { causal: true })
    const merged = o.transpose([0, 2, 1, 3]).reshape([batch * length, this.#heads * this.#headDim])
    return dropout(this.o_proj.forward(merged), this.#dropout)
  }
}
