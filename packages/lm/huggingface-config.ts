import type { StoredDtype } from '@enigma/tensor/formats'
import { createConfig, type ModelConfig } from './config.js'
import { LmError } from './errors.js'
import { ConfigFields, isObject } from './formats/config-fields.js'
import { FAMILIES, familyOf } from './formats/families.js'
import { readRope, ropeScalingFields } from './formats/rope-fields.js'
import { quantizationFromConfig } from './quantization/quantization-config.js'

const TORCH_DTYPES = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const

/**
 * `config.json` as Hugging Face transformers writes it for the first family that computes this model (Llama where that does), plus
 * `dropout`, which transformers ignores.
 * @throws LmError UNSUPPORTED_MODEL when no family computes this mixture of biases, norms and windows
 */
export function configToHuggingFace(config: ModelConfig, dtype: StoredDtype = 'f32'): Record<string, unknown> {
  const { eosIds } = config
  const family = familyOf(config)
  return {
    architectures: [family.architecture],
    model_type: family.modelType,
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
    rope_scaling: ropeScalingFields(config.ropeScaling),
    tie_word_embeddings: config.tieEmbeddings,
    hidden_act: 'silu',
    ...family.write(config),
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

/** Fields that would change what the model computes, in every family, and the values under which it computes what ours does. */
const REQUIRED: Readonly<Record<string, (value: unknown) => boolean>> = {
  hidden_act: (value) => value === 'silu' || value === 'swish',
  partial_rotary_factor: (value) => value === 1,
  rope_interleaved: (value) => value === false,
}

/**
 * The configuration in a `config.json` of Llama, Mistral, Qwen2, Qwen3 or SmolLM, with transformers' defaults for what it leaves out.
 * @param value the parsed JSON
 * @param source how messages name the file
 * @throws LmError UNSUPPORTED_MODEL, naming field and value, when the model would compute something else than ours
 * @throws LmError INVALID_CONFIG when fields are missing, of the wrong type or contradict each other
 */
export function configFromHuggingFace(value: unknown, source = 'config.json'): ModelConfig {
  if (!isObject(value)) throw new LmError('INVALID_CONFIG', `${source} must hold a JSON object`)
  const fields = new ConfigFields(value, source)
  if (!fields.has('model_type')) throw new LmError('INVALID_CONFIG', `${source} lacks model_type; a Llama model says "llama"`)
  const family = FAMILIES.find(({ modelType }) => modelType === value.model_type)
  if (!family) throw fields.unsupported('model_type')
  if (fields.list('architectures')?.includes(family.architecture) === false) throw fields.unsupported('architectures')
  for (const [field, accepts] of Object.entries(REQUIRED))
    if (fields.has(field) && !accepts(value[field])) throw fields.unsupported(field)
  quantizationFromConfig(value, source)

  const { defaults } = family
  const vocabSize = fields.number('vocab_size')
  const heads = fields.number('num_attention_heads')
  const layers = fields.number('num_hidden_layers')
  const context = fields.number('max_position_embeddings', defaults.context)
  const headDim = defaults.headDim === 'split' ? undefined : defaults.headDim
  const kvHeads = defaults.kvHeads === 'heads' || value.num_key_value_heads === null ? heads : defaults.kvHeads
  try {
    return createConfig({
      vocabSize,
      dim: fields.number('hidden_size'),
      layers,
      heads,
      kvHeads: fields.number('num_key_value_heads', kvHeads),
      ...((fields.has('head_dim') || headDim !== undefined) && { headDim: fields.number('head_dim', headDim) }),
      hidden: fields.number('intermediate_size'),
      context,
      ...readRope(fields, defaults.theta, context),
      rmsNormEps: fields.number('rms_norm_eps', 1e-6),
      tieEmbeddings: fields.flag('tie_word_embeddings', defaults.tied),
      ...family.read(fields, layers),
      dropout: fields.number('dropout', 0),
      bosId: fields.ids('bos_token_id', defaults.bos, vocabSize)[0] ?? null,
      eosIds: fields.ids('eos_token_id', defaults.eos, vocabSize),
      padId: fields.ids('pad_token_id', defaults.pad, vocabSize)[0] ?? null,
    })
  } catch (error) {
    if (error instanceof LmError && !error.message.startsWith(source)) {
      throw new LmError(error.code, `${source}: ${error.message}`, { cause: error })
    }
    throw error
  }
}
