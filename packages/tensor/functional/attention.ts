import type { Tensor } from '../tensor.js'

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
}

/** Attention of q [B, H, T, D] over k, v [B, KV, S, D] with H a multiple of KV: result [B, H, T, D]. */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { causal = true, scale = 1 / Math.sqrt(q.shape.at(-1) as number) } = options
  return q.builder.apply('attention', [q, k, v], { causal, scale })[0]!
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
}

/** Attention of new tokens over a cache; `qkv` [B, T, (H + 2·KV)·D] is packed. Result [B, T, H·D] and the new caches. */
export function cachedAttention(qkv: Tensor, cache: AttentionCache): { output: Tensor; keys: Tensor; values: Tensor } {
  const { keys, values, last, total, cosine, sine } = cache
  const [output, newKeys, newValues] = qkv.builder.apply('cachedAttention', [qkv, keys, values, last, total, cosine, sine])
  return { output: output!, keys: newKeys!, values: newValues! }
}
