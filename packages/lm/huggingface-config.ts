import type { StoredDtype } from '@enigma/tensor/formats'
import { createConfig, type ModelConfig } from './config.js'
import { LmError } from './errors.js'

const TORCH_DTYPES = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const

/** `config.json` as Hugging Face transformers' `LlamaConfig` writes it, plus `dropout`, which transformers ignores. */
export function configToHuggingFace(config: ModelConfig, dtype: StoredDtype = 'f32'): Record<string, unknown> {
  const { eosIds } = config
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: config.vocabSize,
    hidden_size: config.dim,
    intermediate_size: config.hidden,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    max_position_embeddings: config.context,
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieEmbeddings,
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    attention_dropout: 0,
    initializer_range: 0.02,
    dropout: config.dropout,
    bos_token_id: config.bosId,
    eos_token_id: eosIds.length === 0 ? null : eosIds.length === 1 ? eosIds[0] : [...eosIds],
    pad_token_id: config.padId,
    torch_dtype: TORCH_DTYPES[dtype],
    use_cache: true,
  }
}

/** Fields that would change what the model computes, and the values under which it computes what ours does. */
const REQUIRED: Readonly<Record<string, (value: unknown) => boolean>> = {
  model_type: (value) => value === 'llama',
  architectures: (value) => Array.isArray(value) && value.includes('LlamaForCausalLM'),
  hidden_act: (value) => value === 'silu' || value === 'swish',
  attention_bias: (value) => value === false,
  mlp_bias: (value) => value === false,
  rope_scaling: (value) => isDefaultRope(value),
  rope_parameters: (value) => isDefaultRope(value),
  partial_rotary_factor: (value) => value === 1,
  quantization_config: () => false,
}

function isDefaultRope(value: unknown): boolean {
  return isObject(value) && (value.rope_type ?? value.type ?? 'default') === 'default'
}

/**
 * The configuration in a Llama `config.json`, with transformers' defaults for what it leaves out.
 * @param value the parsed JSON
 * @param source how messages name the file
 * @throws LmError UNSUPPORTED_MODEL, naming field and value, when the model would compute something else than ours
 * @throws LmError INVALID_CONFIG when fields are missing, of the wrong type or contradict each other
 */
export function configFromHuggingFace(value: unknown, source = 'config.json'): ModelConfig {
  if (!isObject(value)) throw new LmError('INVALID_CONFIG', `${source} must hold a JSON object`)
  if (value.model_type === undefined)
    throw new LmError('INVALID_CONFIG', `${source} lacks model_type; a Llama model says "llama"`)
  for (const [field, accepts] of Object.entries(REQUIRED)) {
    const given = value[field]
    if (given !== undefined && given !== null && !accepts(given)) {
      throw new LmError(
        'UNSUPPORTED_MODEL',
        `${source}: ${field} ${JSON.stringify(given)} is not supported; this loads plain Llama models`,
      )
    }
  }

  const number = (field: string, fallback?: number): number => {
    const given = value[field] ?? fallback
    if (given === undefined) throw new LmError('INVALID_CONFIG', `${source} lacks ${field}`)
    if (typeof given !== 'number') throw wrongType(source, field, 'a number', given)
    return given
  }
  const tied = value.tie_word_embeddings ?? false
  if (typeof tied !== 'boolean') throw wrongType(source, 'tie_word_embeddings', 'true or false', tied)

  const vocabSize = number('vocab_size')
  const dim = number('hidden_size')
  const heads = number('num_attention_heads')
  const rope = isObject(value.rope_parameters) ? value.rope_parameters : value
  const ropeTheta = rope.rope_theta ?? 10_000
  if (typeof ropeTheta !== 'number') throw wrongType(source, 'rope_theta', 'a number', ropeTheta)

  // Old conversions carry ids that are no rows of the table (pad_token_id -1); they can never occur in a text.
  const ids = (field: string, fallback: number | null): number[] => {
    const given = value[field] === undefined ? fallback : value[field]
    const list: unknown[] = given === null ? [] : Array.isArray(given) ? given : [given]
    return list.filter((id): id is number => {
      if (typeof id !== 'number') throw wrongType(source, field, 'a token id', given)
      return id >= 0 && id < vocabSize
    })
  }
  try {
    return createConfig({
      vocabSize,
      dim,
      layers: number('num_hidden_layers'),
      heads,
      kvHeads: number('num_key_value_heads', heads),
      ...(value.head_dim === undefined || value.head_dim === null ? {} : { headDim: number('head_dim') }),
      hidden: number('intermediate_size'),
      context: number('max_position_embeddings', 2048),
      ropeTheta,
      rmsNormEps: number('rms_norm_eps', 1e-6),
      tieEmbeddings: tied,
      dropout: number('dropout', 0),
      bosId: ids('bos_token_id', 1)[0] ?? null,
      eosIds: ids('eos_token_id', 2),
      padId: ids('pad_token_id', null)[0] ?? null,
    })
  } catch (error) {
    if (error instanceof LmError && !error.message.startsWith(source)) {
      throw new LmError(error.code, `${source}: ${error.message}`, { cause: error })
    }
    throw error
  }
}

function wrongType(source: string, field: string, wanted: string, given: unknown): LmError {
  return new LmError('INVALID_CONFIG', `${source}: ${field} must be ${wanted}, got ${JSON.stringify(given)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
