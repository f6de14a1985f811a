import { attentionWeights, dropout, linear, scaledDotProductAttention, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { childSeed, randomOf, type Seed, uniform } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'
import { Linear } from './linear.js'

export interface MultiheadAttentionOptions {
  /** Dropout on the attention weights, while training. Default 0. */
  readonly dropout?: number
  /** Default true. */
  readonly bias?: boolean
  /** Features of keys and values. Default `embedDim`. */
  readonly kdim?: number
  readonly vdim?: number
  /** Sequences are [batch, length, features] instead of [length, batch, features]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean
  readonly seed?: Seed
}

export interface AttentionMasks {
  /** [queries, keys], or with [batch·heads] before them: added to the scores (f32), or which keys are **not** seen (bool). */
  readonly attnMask?: Tensor
  /** [batch, keys] bool: true where a key is padding and not seen. */
  readonly keyPaddingMask?: Tensor
  /** Query t sees keys up to t only. */
  readonly isCausal?: boolean
}

/**
 * Attention with several heads (Vaswani et al. 2017), as `torch.nn.MultiheadAttention`: parameters, initialisation, masks. A query
 * that sees no key gives NaN, as there.
 */
export class MultiheadAttention extends Layer {
  readonly in_proj_weight?: Parameter
  readonly q_proj_weight?: Parameter
  readonly k_proj_weight?: Parameter
  readonly v_proj_weight?: Parameter
  readonly in_proj_bias?: Parameter
  readonly out_proj: Linear
  readonly #embedDim: number
  readonly #heads: number
  readonly #dropout: number
  readonly #batchFirst: boolean

  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super()
    const {
      dropout: p = 0,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
      batchFirst = false,
      seed,
    } = optionsOf('MultiheadAttention', options, 'dropout: 0.1')
    if (!(numHeads >= 1) || embedDim % numHeads !== 0)
      throw new NnError(
        'INVALID_ARGUMENT',
        `MultiheadAttention: embedDim ${embedDim} must be a multiple of numHeads ${numHeads}.`,
      )
    this.#embedDim = embedDim
    this.#heads = numHeads
    this.#dropout = p
    this.#batchFirst = batchFirst
    const random = randomOf(seed)
    // Xavier uniform (Glorot & Bengio 2010).
    const weight = (rows: number, columns: number) => {
      const parameter = new Parameter([rows, columns])
      if (random) uniform(parameter, Math.sqrt(6 / (rows + columns)), random)
      return parameter
    }
    if (kdim === embedDim && vdim === embedDim) this.in_proj_weight = weight(3 * embedDim, embedDim)
    else {
      this.q_proj_weight = weight(embedDim, embedDim)
      this.k_proj_weight = weight(embedDim, kdim)
      this.v_proj_weight = weight(embedDim, vdim)
    }
    if (bias) this.in_proj_bias = new Parameter([3 * embedDim])
    this.out_proj = new Linear(embedDim, embedDim, { bias, seed: childSeed(seed, 0) })
    this.out_proj.bias?.data.fill(0)
  }

  /** query [L, B, E] over key [S, B, kdim] and value [S, B, vdim] → [L, B, E]; key and value default to the query. */
  override forward(query: Tensor, key: Tensor = query, value: Tensor = key, masks: AttentionMasks = {}): Tensor {
    const { q, k, v } = this.#project(query, key, value)
    const mask = this.#mask(q, k, masks)
    const p = this.training ? this.#dropout : 0
    const causal = masks.isCausal === true
    return this.#merge(scaledDotProductAttention(q, k, v, { causal, dropout: p, ...(mask && { mask }) }))
  }

  /** Also gives the attention weights [B, L, S], averaged over the heads. */
  forwardWithWeights(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AttentionMasks = {},
  ): { output: Tensor; weights: Tensor } {
    const { q, k, v } = this.#project(query, key, value)
    const mask = this.#mask(q, k, masks)
    const weights = attentionWeights(q, k, { causal: masks.isCausal === true, ...(mask && { mask }) })
    const used = this.training ? dropout(weights, this.#dropout) : weights
    return { output: this.#merge(used.matmul(v)), weights: used.mean(1) }
  }

  /** Queries, keys and values as [B, H, length, E/H]. */
  #project(query: Tensor, key: Tensor, value: Tensor): { q: Tensor; k: Tensor; v: Tensor } {
    const { builder } = query
    const E = this.#embedDim
    const bias = this.in_proj_bias && builder.lift(this.in_proj_bias)
    const biasOf = (index: number) => bias?.slice(0, index * E, (index + 1) * E)
    const split = (x: Tensor) => {
      const sized = this.#batchFirst ? x : x.transpose([1, 0, 2])
      const [batch, length] = sized.shape as number[]
      return sized.reshape([batch!, length!, this.#heads, E / this.#heads]).transpose([0, 2, 1, 3])
    }
    if (this.in_proj_weight && query === key && key === value) {
      const [q, k, v] = linear(query, this.in_proj_weight, bias).split([E, E, E], -1) as [Tensor, Tensor, Tensor]
      return { q: split(q), k: split(k), v: split(v) }
    }
    const joint = this.in_proj_weight && builder.lift(this.in_proj_weight)
    const weights = [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight]
    const [q, k, v] = [query, key, value].map((x, index) => {
      const weight = joint ? joint.slice(0, index * E, (index + 1) * E) : weights[index]!
      return split(linear(x, weight, biasOf(index)))
    })
    return { q: q!, k: k!, v: v! }
  }

  /** All masks as one that is added to the scores, or says which keys are seen; undefined without any. */
  #mask(q: Tensor, k: Tensor, { attnMask, keyPaddingMask }: AttentionMasks): Tensor | undefined {
    const [batch, heads, queries] = q.shape as number[]
    const keys = k.shape[2] as number
    const hidden = (mask: Tensor) => (mask.dtype === 'bool' ? mask.where(Number.NEGATIVE_INFINITY, 0) : mask)
    const padding = keyPaddingMask && hidden(keyPaddingMask).reshape([batch!, 1, 1, keys])
    const attention =
      attnMask && (attnMask.rank === 3 ? hidden(attnMask).reshape([batch!, heads!, queries!, keys]) : hidden(attnMask))
    return padding && attention ? padding.add(attention) : (padding ?? attention)
  }

  #merge(heads: Tensor): Tensor {
    const [batch, , length] = heads.shape as number[]
    const order = this.#batchFirst ? [0, 2, 1, 3] : [2, 0, 1, 3]
    const shape = this.#batchFirst ? [batch!, length!, this.#embedDim] : [length!, batch!, this.#embedDim]
    return this.out_proj.forward(heads.transpose(order).reshape(shape))
  }
}
