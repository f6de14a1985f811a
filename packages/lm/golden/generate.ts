/**
 * The hash behind the golden values, repeated bit for bit from make_golden.py: weights and tokens are computed here, not stored.
 * Pure functions; `load.ts` reads the files.
 */

/** The shape of a golden Llama; field names as in the JSON. */
export interface GoldenConfig {
  readonly vocab: number
  readonly dim: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly hidden: number
  readonly normEps: number
  readonly ropeTheta: number
}

/** A parameter under its Hugging Face name; matrices are [out, in]. */
export interface GoldenParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
}

/** The learnable sequence of the training steps: token' = (a·token + c + noise) mod modulus. */
export interface GoldenDataRule {
  readonly modulus: number
  readonly a: number
  readonly c: number
  /** How many different noise values there are: 0 … noise − 1. */
  readonly noise: number
}

/** First seeds of the streams; the seeds of parameters are their ordinals. */
export const goldenSeeds = {
  batch: 1_000_000,
  sample: 2_000_000,
  projection: 3_000_000,
  logits: 4_000_000,
  prompt: 5_000_000,
  steps: 6_000_000,
} as const

const matrixScale = 0.07
const normScale = 0.1

/** Float64 in [0, 1): the murmur3 finaliser of (index + seed·0x9E3779B9) mod 2³², divided by 2³². */
export function hashUniform(seed: number, index: number): number {
  let h = (index + Math.imul(seed, 0x9e3779b9)) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296
}

/** Every parameter in the order of its ordinal (its seed). */
export function goldenParameterSpec(config: GoldenConfig): GoldenParameterSpec[] {
  const { vocab, dim, hidden } = config
  const kv = (dim / config.heads) * config.kvHeads
  const layer = (at: string): GoldenParameterSpec[] => [
    { name: `${at}input_layernorm.weight`, shape: [dim] },
    { name: `${at}self_attn.q_proj.weight`, shape: [dim, dim] },
    { name: `${at}self_attn.k_proj.weight`, shape: [kv, dim] },
    { name: `${at}self_attn.v_proj.weight`, shape: [kv, dim] },
    { name: `${at}self_attn.o_proj.weight`, shape: [dim, dim] },
    { name: `${at}post_attention_layernorm.weight`, shape: [dim] },
    { name: `${at}mlp.gate_proj.weight`, shape: [hidden, dim] },
    { name: `${at}mlp.up_proj.weight`, shape: [hidden, dim] },
    { name: `${at}mlp.down_proj.weight`, shape: [dim, hidden] },
  ]
  return [
    { name: 'model.embed_tokens.weight', shape: [vocab, dim] },
    ...Array.from({ length: config.layers }, (_, i) => layer(`model.layers.${i}.`)).flat(),
    { name: 'model.norm.weight', shape: [dim] },
  ]
}

/** The values of one parameter: a vector is a norm weight around 1, a matrix uniform in ±0.035. */
export function goldenParameter(ordinal: number, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(elements(shape))
  const norm = shape.length === 1
  for (let i = 0; i < values.length; i++) {
    const u = hashUniform(ordinal, i) - 0.5
    values[i] = norm ? 1 + u * normScale : u * matrixScale
  }
  return values
}

/** All parameters of a configuration by name. */
export function goldenParameters(config: GoldenConfig): Map<string, Float32Array<ArrayBuffer>> {
  return new Map(goldenParameterSpec(config).map(({ name, shape }, ordinal) => [name, goldenParameter(ordinal, shape)]))
}

/** Random tokens [batch, length], row-major. */
export function goldenTokens(seed: number, batch: number, length: number, vocab: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: batch * length }, (_, i) => Math.floor(hashUniform(seed, i) * vocab))
}

/** The learnable tokens [batch, length] of one training step (counted from 0), row-major. */
export function goldenStepTokens(step: number, batch: number, length: number, rule: GoldenDataRule): Int32Array<ArrayBuffer> {
  const tokens = new Int32Array(batch * length)
  for (let i = 0; i < tokens.length; i++) {
    const u = hashUniform(goldenSeeds.steps + step, i)
    tokens[i] =
      i % length === 0
        ? Math.floor(u * rule.modulus)
        : (rule.a * tokens[i - 1]! + rule.c + Math.floor(u * rule.noise)) % rule.modulus
  }
  return tokens
}

/** Splits sequences [batch, length + 1] into inputs and their next tokens, each [batch, length]. */
export function inputsAndTargets(
  sequences: Int32Array,
  length: number,
): { inputs: Int32Array<ArrayBuffer>; targets: Int32Array<ArrayBuffer> } {
  const batch = sequences.length / (length + 1)
  const inputs = new Int32Array(batch * length)
  const targets = new Int32Array(batch * length)
  for (let b = 0; b < batch; b++) {
    const start = b * (length + 1)
    inputs.set(sequences.subarray(start, start + length), b * length)
    targets.set(sequences.subarray(start + 1, start + 1 + length), b * length)
  }
  return { inputs, targets }
}

/** Which entries of a gradient of `size` values are stored: all when `count` covers them (or is null), otherwise `count` hashed ones. */
export function goldenSampleIndices(ordinal: number, size: number, count: number | null): Int32Array<ArrayBuffer> {
  if (count === null || size <= count) return Int32Array.from({ length: size }, (_, i) => i)
  return hashedIndices(goldenSeeds.sample + ordinal, size, count)
}

/** `count` indices below `size` from one seed (repeats possible). */
export function hashedIndices(seed: number, size: number, count: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: count }, (_, j) => Math.floor(hashUniform(seed, j) * size))
}

/**
 * The k-th random projection of a gradient, which touches every entry: Σ g[i]·(u[i] − ½)·√12 with u = hashUniform.
 * The weights have mean 0 and variance 1, so the expected square of the difference of two projections is ‖g − g′‖²
 * (Johnson–Lindenstrauss).
 */
export function goldenProjection(ordinal: number, k: number, values: Float32Array): number {
  const seed = goldenSeeds.projection + 16 * ordinal + k
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * (hashUniform(seed, i) - 0.5)
  return sum * Math.sqrt(12)
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
