import { describe, expect, it } from 'vitest'
import { createConfig } from './config.js'
import type { LmError } from './errors.js'
import { configFromHuggingFace, configToHuggingFace } from './huggingface-config.js'
import { parameterSpecs } from './parameters.js'
import { PRESETS, presetConfig } from './presets.js'

const base = { vocabSize: 100, dim: 64, layers: 2, heads: 4, context: 32 }

function failure(run: () => unknown): LmError {
  try {
    run()
  } catch (error) {
    return error as LmError
  }
  throw new Error('it did not fail')
}

describe('model configuration', () => {
  it('fills in the Llama recipe', () => {
    expect(createConfig(base)).toEqual({
      ...base,
      kvHeads: 4,
      headDim: 16,
      hidden: 192,
      ropeTheta: 10_000,
      ropeScaling: null,
      noRopeLayers: [],
      rmsNormEps: 1e-6,
      tieEmbeddings: true,
      qkvBias: false,
      outputBias: false,
      mlpBias: false,
      qkNorm: false,
      slidingWindow: null,
      dropout: 0,
      bosId: null,
      eosIds: [],
      padId: null,
    })
  })

  it.each([
    [{ vocabSize: 0 }, 'vocab_size must be positive, got 0'],
    [{ dim: -4 }, 'dim must be positive, got -4'],
    [{ layers: 0 }, 'n_layers must be positive, got 0'],
    [{ heads: 0 }, 'n_heads must be positive, got 0'],
    [{ context: Number.NaN }, 'max_seq_len must be positive, got NaN'],
    [{ layers: 1.5 }, 'n_layers must be a whole number, got 1.5'],
    [{ dropout: 1.1 }, 'dropout must be between 0 and 1, got 1.1'],
    [{ heads: 5 }, 'n_heads (5) must divide evenly into dim (64). Got remainder: 4'],
    [{ kvHeads: 3 }, 'n_kv_heads (3) must divide evenly into n_heads (4). Got remainder: 1'],
    [{ headDim: 15 }, 'head_dim must be even (rotary positions turn pairs), got 15'],
    [{ ropeTheta: 0 }, 'rope_theta must be positive, got 0'],
    [{ eosIds: [3, 100] }, 'eos_token_id must be a token id below vocab_size (100), got 100'],
  ])('refuses %o', (change, message) => {
    const error = failure(() => createConfig({ ...base, ...change }))
    expect(error.code).toBe('INVALID_CONFIG')
    expect(error.message).toBe(message)
  })
})

describe('Hugging Face config.json', () => {
  it('keeps every preset through a round trip of JSON', () => {
    for (const { name } of PRESETS) {
      const config = presetConfig(name, 8000, { bosId: 1, eosIds: [2, 3], padId: 0 })
      expect(configFromHuggingFace(JSON.parse(JSON.stringify(configToHuggingFace(config))))).toEqual(config)
    }
  })

  it('reads a published Llama folder, with the defaults of transformers', () => {
    const smolLm = {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      rope_scaling: null,
      rope_theta: 10000.0,
      tie_word_embeddings: true,
      vocab_size: 49152,
      bos_token_id: 0,
      eos_token_id: 0,
      pad_token_id: -1,
      hidden_act: 'silu',
      attention_bias: false,
    }
    const config = configFromHuggingFace(smolLm)
    expect(config).toMatchObject({ dim: 576, headDim: 64, kvHeads: 3, rmsNormEps: 1e-5, bosId: 0, eosIds: [0], padId: null })
  })

  it('reads the rotary base where transformers 5 writes it', () => {
    const value = {
      ...configToHuggingFace(createConfig(base)),
      rope_theta: undefined,
      rope_parameters: { rope_type: 'default', rope_theta: 5e5 },
    }
    expect(configFromHuggingFace(value).ropeTheta).toBe(5e5)
  })

  it.each([
    ['model_type', 'gpt2'],
    ['architectures', ['MixtralForCausalLM']],
    ['hidden_act', 'gelu'],
    ['rope_scaling', { rope_type: 'dynamic', factor: 8 }],
    ['rope_parameters', { rope_type: 'longrope' }],
    ['rope_parameters', { full_attention: { rope_type: 'default' }, rope_type: 7 }],
    ['partial_rotary_factor', 0.5],
  ])('refuses %s %o by name', (field, value) => {
    const error = failure(() =>
      configFromHuggingFace({ ...configToHuggingFace(createConfig(base)), [field]: value }, 'x/config.json'),
    )
    expect(error.code).toBe('UNSUPPORTED_MODEL')
    expect(error.message).toContain(`x/config.json: ${field} ${JSON.stringify(value)}`)
  })

  it('names a field that is missing, of the wrong type, or contradicts another', () => {
    const good = configToHuggingFace(createConfig(base))
    expect(failure(() => configFromHuggingFace([])).message).toBe('config.json must hold a JSON object')
    expect(failure(() => configFromHuggingFace({ ...good, hidden_size: undefined })).message).toBe(
      'config.json lacks hidden_size',
    )
    expect(failure(() => configFromHuggingFace({ ...good, vocab_size: '100' })).message).toBe(
      'config.json: vocab_size must be a number, got "100"',
    )
    const endless: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000))
    expect(failure(() => configFromHuggingFace({ ...good, vocab_size: endless })).message).toMatch(
      /got what is nested too deeply$/,
    )
    expect(failure(() => configFromHuggingFace({ ...good, num_key_value_heads: 3 })).message).toBe(
      'config.json: n_kv_heads (3) must divide evenly into n_heads (4). Got remainder: 1',
    )
  })
})

describe('parameter list', () => {
  it('names every weight of a layer with its shape, in the order of the forward pass', () => {
    const specs = parameterSpecs(createConfig({ ...base, layers: 1, kvHeads: 2, tieEmbeddings: false }))
    expect(specs.map(({ name, shape, kind }) => [name, shape, kind])).toEqual([
      ['model.embed_tokens.weight', [100, 64], 'embedding'],
      ['model.layers.0.input_layernorm.weight', [64], 'norm'],
      ['model.layers.0.self_attn.q_proj.weight', [64, 64], 'matrix'],
      ['model.layers.0.self_attn.k_proj.weight', [32, 64], 'matrix'],
      ['model.layers.0.self_attn.v_proj.weight', [32, 64], 'matrix'],
      ['model.layers.0.self_attn.o_proj.weight', [64, 64], 'matrix'],
      ['model.layers.0.post_attention_layernorm.weight', [64], 'norm'],
      ['model.layers.0.mlp.gate_proj.weight', [192, 64], 'matrix'],
      ['model.layers.0.mlp.up_proj.weight', [192, 64], 'matrix'],
      ['model.layers.0.mlp.down_proj.weight', [64, 192], 'matrix'],
      ['model.norm.weight', [64], 'norm'],
      ['lm_head.weight', [100, 64], 'matrix'],
    ])
  })

  it('starts projections into the residual stream at 0.02/√(2·layers), the rest at 0.02, and decays all but norms', () => {
    for (const spec of parameterSpecs(createConfig({ ...base, layers: 8 }))) {
      const residual = /(o_proj|down_proj)\.weight$/.test(spec.name)
      expect(spec.initStd).toBeCloseTo(spec.kind === 'norm' ? 0 : residual ? 0.005 : 0.02, 12)
      expect(spec.decay).toBe(spec.kind !== 'norm')
    }
  })
})
