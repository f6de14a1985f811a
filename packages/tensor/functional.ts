import type { Operand } from './builder.js'
import { TensorError } from './errors.js'
import { Tensor } from './tensor.js'

/** The traced tensor among operands that decides which program is being built. */
function builderOf(...operands: readonly Operand[]) {
  for (const operand of operands) if (operand instanceof Tensor) return operand.builder
  throw new TensorError('UNKNOWN_INPUT', 'At least one operand must be a traced tensor.')
}

/** y = x · weightᵀ (+ bias) for x [..., in], weight [out, in] and bias [out], as `torch.nn.functional.linear`. */
export function linear(x: Tensor, weight: Operand, bias?: Operand): Tensor {
  const w = x.builder.lift(weight)
  const lead = x.shape.slice(0, -1)
  const flat = x.rank === 2 ? x : x.reshape([-1, x.shape.at(-1)!])
  const product = flat.matmul(w, { transB: true })
  const y = bias === undefined ? product : product.add(bias)
  return x.rank === 2 ? y : y.reshape([...lead, w.shape[0]!])
}

/** Concatenates along `axis`. */
export function concat(tensors: readonly Tensor[], axis = -1): Tensor {
  return builderOf(...tensors).apply('concat', tensors, { axis })[0]!
}

/** x / sqrt(mean(x²) + epsilon) · weight over the last dimension. */
export function rmsNorm(x: Tensor, weight: Operand, epsilon = 1e-6): Tensor {
  return x.builder.apply('rmsNorm', [x, x.builder.lift(weight)], { epsilon })[0]!
}

/** `[rmsNorm(a + b), a + b]` in one kernel. Inference only. */
export function addRmsNorm(a: Tensor, b: Tensor, weight: Operand, epsilon = 1e-6): [Tensor, Tensor] {
  const [normalized, sum] = a.builder.apply('addRmsNorm', [a, b, a.builder.lift(weight)], { epsilon })
  return [normalized!, sum!]
}

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

/** silu(gate) · up. */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return gate.builder.apply('swiglu', [gate, up])[0]!
}

/** Zeroes elements with probability `p` and scales the rest by 1/(1-p), while training; the identity otherwise. */
export function dropout(x: Tensor, p: number): Tensor {
  if (!x.builder.training || p === 0) return x
  return x.mul(x.builder.random({ kind: 'bernoulli', p }, x.shape))
}

export interface CrossEntropyOptions {
  /** Rows with this target do not count. Default -100, as in PyTorch. */
  readonly ignoreIndex?: number
}

/**
 * Mean cross-entropy in nats of logits [N, classes] against class indices i64 [N]. A target outside 0…classes-1 that is not
 * `ignoreIndex` is never taken for another class: a negative one makes the loss NaN or fails the run, one too large fails the run.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, { ignoreIndex = -100 }: CrossEntropyOptions = {}): Tensor {
  return logits.builder.apply('crossEntropy', [logits, targets], { ignoreIndex })[0]!
}
