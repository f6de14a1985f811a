import type { Tensor } from '../tensor.js'
import { dropout } from './random.js'

/** Rotary position embedding of x [B, H, T, D]; `positions` [B, T] index the tables [positions, D/2]. */
export function rotaryEmbedding(x: Tensor, positions: Tensor, cosine: Tensor, sine: Tensor): Tensor {
  return x.builder.apply('rotaryEmbedding', [x, positions, cosine, sine])[0]!
}

export interface AttentionOptions {
  /**
   * Mask the future. The last query stands at the last key: query t of T sees the keys s ≤ t + S - T of S, and more queries than
   * keys are refused. Default true.
   */
  readonly causal?: boolean
  /** Factor on the scores. Default 1/√D. */
  readonly scale?: number
  /** Added to the scores (f32), or which keys a query sees (bool, true: sees); broadcasts to [B, H, T, S]. */
  readonly mask?: Tensor
  /** Dropout on the weights, while training. Default 0. */
  readonly dropout?: number
}

/** Attention of q [B, H, T, D] over k, v [B, KV, S, D] with H a multiple of KV: result [B, H, T, D]. */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { causal = true, scale = 1 / Math.sqrt(q.shape.at(-1) as number), mask, dropout: p = 0 } = options
  if (!mask && (p === 0 || !q.builder.training)) return q.builder.apply('attention', [q, k, v], { causal, scale })[0]!
  const weights = dropout(attentionWeights(q, k, { causal, scale, ...(mask && { mask }) }), p)
  const [batch, heads, queries, dim] = q.shape as number[]
  const [, kvHeads, keys] = k.shape as number[]
  const grouped = weights.reshape([batch!, kvHeads!, (heads! / kvHeads!) * queries!, keys!])
  return grouped.matmul(v).reshape([batch!, heads!, queries!, dim!])
}

/** softmax(scale · q · kᵀ + mask) [B, H, T, S]: what `scaledDotProductAttention` multiplies the values with, before dropout. */
export function attentionWeights(q: Tensor, k: Tensor, options: Omit<AttentionOptions, 'dropout'> = {}): Tensor {
  const { causal = true, scale = 1 / Math.sqrt(q.shape.at(-1) as number), mask } = options
  const [batch, heads, queries, dim] = q.shape as number[]
  const [, kvHeads, keys] = k.shape as number[]
  const rows = q.reshape([batch!, kvHeads!, (heads! / kvHeads!) * queries!, dim!])
  let scores = rows.matmul(k, { transB: true, alpha: scale }).reshape([batch!, heads!, queries!, keys!])
  if (causal) {
    const hidden = Array.from({ length: queries! * keys! }, (_, index) => {
      const [t, s] = [Math.floor(index / keys!), index % keys!]
      return s > t + keys! - queries! ? Number.NEGATIVE_INFINITY : 0
    })
    scores = scores.add(q.builder.constant(hidden, [queries!, keys!]))
  }
  if (mask) scores = mask.dtype === 'bool' ? mask.where(scores, Number.NEGATIVE_INFINITY) : scores.add(mask)
  return scores.softmax()
}

export interface AttentionCache {
  /** [B, KV, S, D] */
  readonly keys: Tensor
  /** [B, KV, S, D] */
  readonly values: Tensor
  /** i32 [B]: index of the last valid position after this call, that is past length + new tokens - 1. */
  readonly last: Tensor
  /** i32 [1]: largest total length in the batch. */
  readonly total: Tensor
  /** [S, D/2] */
  readonly cosine: Tensor
  readonly sine: Tensor
  /** Rotate queries and keys by their positions. Default true. */
  readonly rotary?: boolean
  /** A token sees so many, itself included (Mistral's sliding window). Default: all before it. */
  readonly window?: number | undefined
}

/** Attention of new tokens over a cache; `qkv` [B, T, (H + 2·KV)·D] is packed. Result [B, T, H·D] and the new caches. */
export function cachedAttention(qkv: Tensor, cache: AttentionCache): { output: Tensor; keys: Tensor; values: Tensor } {
  const { keys, values, last, total, cosine, sine, rotary = true, window } = cache
  const inputs = [qkv, keys, values, last, total, cosine, sine]
  const [output, newKeys, newValues] = qkv.builder.apply('cachedAttention', inputs, {
    ...(!rotary && { rotary }),
    ...(window !== undefined && { window }),
  })
  return { output: output!, keys: newKeys!, values: newValues! }
}
