import { type ModelConfig, maxLayers } from '../config.js'
import { LmError } from '../errors.js'
import type { ConfigFields } from './config-fields.js'

/** What a family may add to the plain Llama decoder. */
export type FamilyFeatures = Pick<ModelConfig, 'qkvBias' | 'outputBias' | 'mlpBias' | 'qkNorm' | 'slidingWindow' | 'noRopeLayers'>

/** One family of Hugging Face transformers: the defaults of its configuration class, and what it computes. */
export interface Family {
  readonly modelType: string
  readonly architecture: string
  /** What the class takes for fields that are left out; `heads` and `split` stand for as many as heads, and dim / heads. */
  readonly defaults: {
    readonly kvHeads: number | 'heads'
    readonly headDim: number | 'split'
    readonly context: number
    readonly theta: number
    readonly tied: boolean
    readonly bos: number | null
    readonly eos: number | null
    readonly pad: number | null
  }
  /** Reads its own fields. @throws LmError UNSUPPORTED_MODEL, INVALID_CONFIG */
  readonly read: (fields: ConfigFields, layers: number) => FamilyFeatures
  /** Whether it can compute what a configuration asks for. */
  readonly computes: (config: ModelConfig) => boolean
  /** Its own fields of `config.json`. */
  readonly write: (config: ModelConfig) => Record<string, unknown>
}

const plain: FamilyFeatures = {
  qkvBias: false,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
  slidingWindow: null,
  noRopeLayers: [],
}

const usual = { kvHeads: 'heads', headDim: 'split', theta: 10_000, tied: false, bos: null, eos: null, pad: null } as const

const hasNoBias = (config: ModelConfig) => !config.qkvBias && !config.outputBias && !config.mlpBias
const hasWholeBias = (config: ModelConfig) => config.qkvBias === config.outputBias

/** The families, the plainest first: a model is written as the first that computes it. */
export const FAMILIES: readonly Family[] = [
  {
    modelType: 'llama',
    architecture: 'LlamaForCausalLM',
    defaults: { ...usual, context: 2048, bos: 1, eos: 2 },
    read: (fields) => ({ ...plain, ...biases(fields), mlpBias: fields.flag('mlp_bias', false) }),
    // transformers' Llama insists that heads divide dim, whatever their size.
    computes: (config) =>
      hasWholeBias(config) &&
      !config.qkNorm &&
      config.slidingWindow === null &&
      config.noRopeLayers.length === 0 &&
      config.dim % config.heads === 0,
    write: (config) => ({ attention_bias: config.qkvBias, mlp_bias: config.mlpBias }),
  },
  {
    modelType: 'mistral',
    architecture: 'MistralForCausalLM',
    defaults: { ...usual, kvHeads: 8, context: 131_072, bos: 1, eos: 2 },
    read: (fields, layers) => {
      const given = fields.value.sliding_window
      const slidingWindow = given === null ? null : fields.number('sliding_window', 4096)
      return { ...plain, slidingWindow: windowOf(fields, slidingWindow, 0, layers) }
    },
    computes: (config) => hasNoBias(config) && !config.qkNorm && config.noRopeLayers.length === 0,
    write: (config) => ({ sliding_window: config.slidingWindow }),
  },
  {
    modelType: 'qwen2',
    architecture: 'Qwen2ForCausalLM',
    defaults: { ...usual, kvHeads: 32, context: 32_768 },
    read: (fields, layers) => ({ ...plain, qkvBias: true, slidingWindow: qwenWindow(fields, layers) }),
    computes: (config) =>
      config.qkvBias && !config.outputBias && !config.mlpBias && !config.qkNorm && config.noRopeLayers.length === 0,
    write: writeQwenWindow,
  },
  {
    modelType: 'qwen3',
    architecture: 'Qwen3ForCausalLM',
    defaults: { ...usual, kvHeads: 32, headDim: 128, context: 32_768 },
    read: (fields, layers) => ({ ...plain, ...biases(fields), qkNorm: true, slidingWindow: qwenWindow(fields, layers) }),
    computes: (config) => config.qkNorm && hasWholeBias(config) && !config.mlpBias && config.noRopeLayers.length === 0,
    write: (config) => ({ attention_bias: config.qkvBias, ...writeQwenWindow(config) }),
  },
  {
    modelType: 'smollm3',
    architecture: 'SmolLM3ForCausalLM',
    defaults: { ...usual, kvHeads: 4, context: 32_768, theta: 2_000_000, tied: true, bos: 128_000, eos: 128_001, pad: 128_004 },
    read: (fields, layers) => {
      if (fields.flag('use_sliding_window', false)) throw fields.unsupported('use_sliding_window', 'every layer sees all tokens')
      return { ...plain, ...biases(fields), mlpBias: fields.flag('mlp_bias', false), noRopeLayers: noRopeLayers(fields, layers) }
    },
    computes: (config) =>
      hasWholeBias(config) && !config.qkNorm && config.slidingWindow === null && config.dim % config.heads === 0,
    write: (config) => ({
      attention_bias: config.qkvBias,
      mlp_bias: config.mlpBias,
      no_rope_layers: Array.from({ length: config.layers }, (_, layer) => (config.noRopeLayers.includes(layer) ? 0 : 1)),
      use_sliding_window: false,
    }),
  },
]

/**
 * The family a configuration is written as.
 * @throws LmError UNSUPPORTED_MODEL when no family computes this mixture
 */
export function familyOf(config: ModelConfig): Family {
  const family = FAMILIES.find(({ computes }) => computes(config))
  if (family) return family
  const { qkvBias, outputBias, mlpBias, qkNorm, slidingWindow, noRopeLayers: without } = config
  const features = JSON.stringify({ qkvBias, outputBias, mlpBias, qkNorm, slidingWindow, noRopeLayers: without })
  const names = FAMILIES.map(({ modelType }) => modelType).join(', ')
  throw new LmError(
    'UNSUPPORTED_MODEL',
    `None of ${names} computes a model with ${features}: it cannot be written in their format`,
  )
}

function biases(fields: ConfigFields): { qkvBias: boolean; outputBias: boolean } {
  const bias = fields.flag('attention_bias', false)
  return { qkvBias: bias, outputBias: bias }
}

function qwenWindow(fields: ConfigFields, layers: number): number | null {
  const given = fields.value.sliding_window
  const slides = fields.flag('use_sliding_window', false) && given !== null
  return windowOf(fields, slides ? fields.number('sliding_window', 4096) : null, fields.number('max_window_layers', 28), layers)
}

/** The window of all layers; `first` is the first layer that has one. @throws LmError UNSUPPORTED_MODEL when only some have it */
function windowOf(fields: ConfigFields, window: number | null, first: number, layers: number): number | null {
  const types = fields.list('layer_types')
  const sliding = types
    ? types.slice(0, layers).filter((type) => type === 'sliding_attention').length
    : window === null
      ? 0
      : Math.max(0, layers - first)
  const known = types?.every((type) => type === 'sliding_attention' || type === 'full_attention') ?? true
  if (!known) throw fields.unsupported('layer_types', 'layers can have full_attention or sliding_attention')
  if (sliding === 0 || window === null) return null
  if (sliding < layers)
    throw fields.unsupported(types ? 'layer_types' : 'max_window_layers', 'either all layers have a sliding window or none')
  return window
}

function writeQwenWindow({ slidingWindow }: ModelConfig): Record<string, unknown> {
  return { use_sliding_window: slidingWindow !== null, sliding_window: slidingWindow, max_window_layers: 0 }
}

/** SmolLM3 marks layers with rotary positions by 1; without the list every fourth has none. */
function noRopeLayers(fields: ConfigFields, layers: number): number[] {
  const interval = fields.number('no_rope_layer_interval', 4)
  const marks = fields.list('no_rope_layers')
  return Array.from({ length: Math.min(layers, maxLayers) }, (_, layer) => layer).filter((layer) =>
    marks ? marks[layer] === 0 || marks[layer] === false : (layer + 1) % interval === 0,
  )
}
