import { LmError } from './errors.js'
import { invalidScaling, type RopeScaling } from './model/rope.js'

/**
 * The shape of one model: a Llama-style pre-norm decoder (RMSNorm, rotary positions, SwiGLU, grouped-query attention).
 * Make one with {@link createConfig} or `presetConfig`, read one with {@link configFromHuggingFace}: all three validate.
 */
export interface ModelConfig {
  readonly vocabSize: number
  /** Width of the residual stream. */
  readonly dim: number
  readonly layers: number
  readonly heads: number
  /** Key/value heads; divides `heads`. */
  readonly kvHeads: number
  readonly headDim: number
  /** Inner width of the SwiGLU. */
  readonly hidden: number
  /** Longest sequence in tokens. */
  readonly context: number
  readonly ropeTheta: number
  /** How rotary angles are stretched for texts longer than those trained on; null: not. */
  readonly ropeScaling: RopeScaling | null
  /** Layers (counted from 0) without rotary positions (SmolLM3). */
  readonly noRopeLayers: readonly number[]
  readonly rmsNormEps: number
  readonly tieEmbeddings: boolean
  /** Biases on the query, key and value projections (Qwen2). */
  readonly qkvBias: boolean
  /** A bias on the attention's output projection. */
  readonly outputBias: boolean
  /** Biases in the SwiGLU. */
  readonly mlpBias: boolean
  /** RMSNorm over each head's queries and keys before they are rotated (Qwen3). */
  readonly qkNorm: boolean
  /** A token sees so many tokens, itself included (Mistral); null: all before it. */
  readonly slidingWindow: number | null
  /** Share of activations dropped in training, 0 to 1. */
  readonly dropout: number
  readonly bosId: number | null
  /** Every id that ends a text (Llama 3 has several); empty when none is known. */
  readonly eosIds: readonly number[]
  readonly padId: number | null
}

/** What {@link createConfig} needs; the rest has defaults. */
export type ModelConfigOptions = Pick<ModelConfig, 'vocabSize' | 'dim' | 'layers' | 'heads' | 'context'> & Partial<ModelConfig>

/** The SwiGLU width of the Llama recipe: two thirds of 4·dim, rounded up to a multiple of 64. */
export function hiddenSize(dim: number): number {
  return 64 * Math.ceil(Math.floor((8 * dim) / 3) / 64)
}

/** No model comes near; a damaged file that asks for more must not make lists without end. */
export const maxLayers = 4096

/**
 * A validated, frozen configuration. Defaults: kvHeads = heads, headDim = dim / heads, hidden = `hiddenSize(dim)`,
 * ropeTheta 10000, rmsNormEps 1e-6, tied embeddings, plain rotary positions, no biases, no query and key norms, no sliding window,
 * no dropout, no special ids.
 * @throws LmError INVALID_CONFIG
 */
export function createConfig(options: ModelConfigOptions): ModelConfig {
  const { dim, heads } = options
  checkPositive('vocab_size', options.vocabSize)
  checkPositive('dim', dim)
  checkPositive('n_layers', options.layers)
  if (options.layers > maxLayers) throw invalid(`n_layers must be at most ${maxLayers}, got ${options.layers}`)
  checkPositive('n_heads', heads)
  checkPositive('max_seq_len', options.context)
  if (options.headDim === undefined && dim % heads !== 0) {
    throw invalid(`n_heads (${heads}) must divide evenly into dim (${dim}). Got remainder: ${dim % heads}`)
  }
  const config: ModelConfig = {
    vocabSize: options.vocabSize,
    dim,
    layers: options.layers,
    heads,
    kvHeads: options.kvHeads ?? heads,
    headDim: options.headDim ?? dim / heads,
    hidden: options.hidden ?? hiddenSize(dim),
    context: options.context,
    ropeTheta: options.ropeTheta ?? 10_000,
    ropeScaling: options.ropeScaling ? Object.freeze({ ...options.ropeScaling }) : null,
    noRopeLayers: Object.freeze([...(options.noRopeLayers ?? [])]),
    rmsNormEps: options.rmsNormEps ?? 1e-6,
    tieEmbeddings: options.tieEmbeddings ?? true,
    qkvBias: options.qkvBias ?? false,
    outputBias: options.outputBias ?? false,
    mlpBias: options.mlpBias ?? false,
    qkNorm: options.qkNorm ?? false,
    slidingWindow: options.slidingWindow ?? null,
    dropout: options.dropout ?? 0,
    bosId: options.bosId ?? null,
    eosIds: Object.freeze([...(options.eosIds ?? [])]),
    padId: options.padId ?? null,
  }
  checkPositive('n_kv_heads', config.kvHeads)
  checkPositive('head_dim', config.headDim)
  checkPositive('hidden', config.hidden)
  if (heads % config.kvHeads !== 0) {
    throw invalid(
      `n_kv_heads (${config.kvHeads}) must divide evenly into n_heads (${heads}). Got remainder: ${heads % config.kvHeads}`,
    )
  }
  if (config.headDim % 2 !== 0) throw invalid(`head_dim must be even (rotary positions turn pairs), got ${config.headDim}`)
  if (!(config.dropout >= 0 && config.dropout <= 1)) throw invalid(`dropout must be between 0 and 1, got ${config.dropout}`)
  if (!(config.ropeTheta > 0 && Number.isFinite(config.ropeTheta)))
    throw invalid(`rope_theta must be positive, got ${config.ropeTheta}`)
  if (!(config.rmsNormEps > 0 && config.rmsNormEps < 1))
    throw invalid(`rms_norm_eps must be between 0 and 1, got ${config.rmsNormEps}`)
  const broken = config.ropeScaling && invalidScaling(config.ropeScaling)
  if (broken) throw invalid(`rope_scaling: ${broken}`)
  if (config.slidingWindow !== null) checkPositive('sliding_window', config.slidingWindow)
  for (const layer of config.noRopeLayers)
    if (!(Number.isSafeInteger(layer) && layer >= 0 && layer < config.layers))
      throw invalid(`no_rope_layers must be layers below ${config.layers}, got ${layer}`)
  for (const [name, id] of [
    ['bos_token_id', config.bosId],
    ...config.eosIds.map((id) => ['eos_token_id', id] as const),
    ['pad_token_id', config.padId],
  ] as const) {
    if (id !== null && !(Number.isSafeInteger(id) && id >= 0 && id < config.vocabSize)) {
      throw invalid(`${name} must be a token id below vocab_size (${config.vocabSize}), got ${id}`)
    }
  }
  return Object.freeze(config)
}

function checkPositive(name: string, value: number): void {
  if (!(value > 0)) throw invalid(`${name} must be positive, got ${value}`)
  if (!Number.isSafeInteger(value)) throw invalid(`${name} must be a whole number, got ${value}`)
}

function invalid(message: string): LmError {
  return new LmError('INVALID_CONFIG', message)
}
