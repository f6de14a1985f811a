import { createConfig, type ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { llama3Factor, type RopeScaling, ropeAngles, yarnAttentionFactor } from '../model/rope.js'
import { parameterSpecs } from '../parameters.js'
import type { TypedValue } from './gguf-encode.js'
import type { GgufFile } from './gguf-file.js'
import type { GgufValue } from './gguf-header.js'
import { ggufName } from './gguf-names.js'
import { isLlama3 } from './gguf-tokenizer.js'

/** What llama.cpp calls a model of this configuration, and whether its query and key rows are turned there. */
export interface GgufArchitecture {
  readonly name: string
  readonly turned: boolean
}

const hasNoBias = ({ qkvBias, outputBias, mlpBias }: ModelConfig) => !qkvBias && !outputBias && !mlpBias
const everyFourth = (layers: number) => Array.from({ length: Math.floor(layers / 4) }, (_, index) => 4 * index + 3)

/** The architectures of llama.cpp that are this project's, the closest first; its `llama` has every bias. */
const ARCHITECTURES: readonly (GgufArchitecture & { readonly computes: (config: ModelConfig) => boolean })[] = [
  {
    name: 'qwen2',
    turned: false,
    computes: (config) =>
      config.qkvBias &&
      !config.outputBias &&
      !config.mlpBias &&
      !config.qkNorm &&
      config.noRopeLayers.length === 0 &&
      config.heads * config.headDim === config.dim,
  },
  {
    name: 'qwen3',
    turned: false,
    computes: (config) => config.qkNorm && hasNoBias(config) && config.noRopeLayers.length === 0,
  },
  {
    name: 'smollm3',
    turned: true,
    computes: (config) =>
      !config.qkNorm &&
      hasNoBias(config) &&
      config.noRopeLayers.length > 0 &&
      config.noRopeLayers.join() === everyFourth(config.layers).join() &&
      config.heads * config.headDim === config.dim,
  },
  { name: 'llama', turned: true, computes: (config) => !config.qkNorm && config.noRopeLayers.length === 0 },
]

/** @throws LmError UNSUPPORTED_MODEL naming what llama.cpp does not compute */
export function ggufArchitecture(config: ModelConfig): GgufArchitecture {
  const { qkvBias, outputBias, mlpBias, qkNorm, slidingWindow, context, noRopeLayers } = config
  const windowed = slidingWindow !== null && slidingWindow < context
  const found = windowed ? undefined : ARCHITECTURES.find(({ computes }) => computes(config))
  if (found) return found
  const names = ARCHITECTURES.map(({ name }) => name).join(', ')
  const features = JSON.stringify({ qkvBias, outputBias, mlpBias, qkNorm, slidingWindow, noRopeLayers })
  throw new LmError(
    'UNSUPPORTED_MODEL',
    `None of llama.cpp's ${names} computes a model with ${features}: no GGUF file is written`,
  )
}

/** The keys that describe the model's shape. */
export function shapeMetadata(config: ModelConfig): Record<string, TypedValue> {
  const u32 = (value: number): TypedValue => ({ type: 'u32', value })
  const f32 = (value: number): TypedValue => ({ type: 'f32', value })
  const keys: Record<string, TypedValue> = {
    context_length: u32(config.context),
    embedding_length: u32(config.dim),
    block_count: u32(config.layers),
    feed_forward_length: u32(config.hidden),
    'attention.head_count': u32(config.heads),
    'attention.head_count_kv': u32(config.kvHeads),
    'attention.key_length': u32(config.headDim),
    'attention.value_length': u32(config.headDim),
    'attention.layer_norm_rms_epsilon': f32(config.rmsNormEps),
    'rope.dimension_count': u32(config.headDim),
    'rope.freq_base': f32(config.ropeTheta),
    vocab_size: u32(config.vocabSize),
    ...scalingMetadata(config.ropeScaling),
  }
  const { name } = ggufArchitecture(config)
  return Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${name}.${key}`, value]))
}

function scalingMetadata(scaling: RopeScaling | null): Record<string, TypedValue> {
  // Llama 3's factors go into a tensor: see `ropeFactors`.
  if (!scaling || scaling.type === 'llama3') return {}
  const keys: Record<string, TypedValue> = {
    'rope.scaling.type': { type: 'string', value: scaling.type },
    'rope.scaling.factor': { type: 'f32', value: scaling.factor },
  }
  if (scaling.type === 'linear') return keys
  if (!scaling.truncate) throw new LmError('UNSUPPORTED_MODEL', 'llama.cpp does not compute YaRN with truncate: false')
  return {
    ...keys,
    'rope.scaling.original_context_length': { type: 'u32', value: scaling.originalContext },
    'rope.scaling.yarn_beta_fast': { type: 'f32', value: scaling.betaFast },
    'rope.scaling.yarn_beta_slow': { type: 'f32', value: scaling.betaSlow },
    // llama.cpp multiplies with the usual factor itself.
    'rope.scaling.attn_factor': { type: 'f32', value: scaling.attentionFactor / yarnAttentionFactor(scaling.factor) },
  }
}

/** The tensor that divides each pair's angle, for Llama 3's scaling; null for others. */
export function ropeFactors(config: ModelConfig): Float32Array | null {
  const { ropeScaling } = config
  if (ropeScaling?.type !== 'llama3') return null
  const { frequencies } = ropeAngles({ ...config, ropeScaling: null })
  return Float32Array.from(frequencies, (frequency) => llama3Factor(frequency, ropeScaling))
}

export const ROPE_FACTORS = 'rope_freqs.weight'

/** Keys that would change what is computed, and the value under which they do not. */
const NEUTRAL: Readonly<Record<string, (value: GgufValue, config: { readonly context: number }) => boolean>> = {
  expert_count: (value) => value === 0,
  'attention.sliding_window': (value, { context }) => value === 0 || Number(value) >= context,
  'attention.scale': () => false,
  'attention.causal': (value) => value === true,
  logit_scale: (value) => value === 1,
  residual_scale: (value) => value === 1,
  embedding_scale: (value) => value === 1,
  attn_logit_softcapping: (value) => value === 0,
  final_logit_softcapping: (value) => value === 0,
}

/** The model a GGUF file holds. */
export interface GgufModel {
  readonly config: ModelConfig
  /** Whether query and key rows lie as llama.cpp's Llama has them. */
  readonly turned: boolean
}

/**
 * The configuration in a GGUF file, its tensors checked against it.
 * @throws LmError UNSUPPORTED_MODEL naming the key or tensor; INVALID_CONFIG, TENSOR_MISSING, SHAPE_MISMATCH
 */
export async function readGgufModel(file: GgufFile): Promise<GgufModel> {
  const { path, tensors } = file
  const name = text(file, 'general.architecture')
  const found = ARCHITECTURES.find((entry) => entry.name === name)
  if (!found) {
    const known = ARCHITECTURES.map((entry) => entry.name).join(', ')
    throw new LmError('UNSUPPORTED_MODEL', `${path}: general.architecture "${name}" is not supported; this reads ${known}`)
  }
  if (numeric(file, 'split.count', 1) > 1)
    throw new LmError(
      'UNSUPPORTED_MODEL',
      `${path} is one of several parts (split.count): join them with llama-gguf-split --merge`,
    )
  const number = (key: string, fallback?: number) => numeric(file, `${name}.${key}`, fallback)
  const embedding = tensors.get('token_embd.weight')
  if (!embedding) throw new LmError('TENSOR_MISSING', `${path} lacks "token_embd.weight"`)
  const heads = number('attention.head_count')
  const dim = number('embedding_length')
  const layers = number('block_count')
  const context = number('context_length')
  for (const [key, isNeutral] of Object.entries(NEUTRAL)) {
    const value = file.metadata.get(`${name}.${key}`)
    if (value !== undefined && !isNeutral(value, { context }))
      throw new LmError('UNSUPPORTED_MODEL', `${path}: ${name}.${key} ${shown(value)} is not supported`)
  }
  const headDim = number('attention.key_length', dim / heads)
  if (number('attention.value_length', headDim) !== headDim || number('rope.dimension_count', headDim) !== headDim)
    throw new LmError('UNSUPPORTED_MODEL', `${path}: values or rotary positions of other sizes than ${headDim} are not supported`)
  const ids = readIds(file, embedding.shape[0] ?? 0)
  const ropeTheta = number('rope.freq_base', 10_000)
  const has = (tensor: string) => tensors.has(tensor)
  const shape = guarded(path, () =>
    createConfig({
      vocabSize: embedding.shape[0] ?? 0,
      dim,
      layers,
      heads,
      kvHeads: number('attention.head_count_kv', heads),
      headDim,
      hidden: number('feed_forward_length'),
      context,
      ropeTheta,
      rmsNormEps: number('attention.layer_norm_rms_epsilon'),
      tieEmbeddings: !has('output.weight'),
      qkvBias: has('blk.0.attn_q.bias'),
      outputBias: has('blk.0.attn_output.bias'),
      mlpBias: has('blk.0.ffn_up.bias'),
      qkNorm: has('blk.0.attn_q_norm.weight'),
      noRopeLayers: name === 'smollm3' && layers <= tensors.size ? everyFourth(layers) : [],
      ...ids,
    }),
  )
  checkTensors(shape, file)
  const ropeScaling = has(ROPE_FACTORS) ? await readFactors(file, shape) : readScaling(file, name, context)
  return { config: guarded(path, () => createConfig({ ...shape, ropeScaling })), turned: found.turned }
}

function checkTensors(config: ModelConfig, { path, tensors }: GgufFile): void {
  if (config.layers > tensors.size)
    throw new LmError('TENSOR_MISSING', `${path} has ${tensors.size} tensors for ${config.layers} layers`)
  const expected = new Map(parameterSpecs(config).map((spec) => [ggufName(spec.name), spec.shape]))
  for (const [name, shape] of expected) {
    const found = tensors.get(name)
    if (!found) throw new LmError('TENSOR_MISSING', `${path} lacks "${name}", which its metadata call for`)
    if (found.shape.join() !== shape.join()) {
      const shapes = `[${found.shape.join(', ')}], its metadata call for [${shape.join(', ')}]`
      throw new LmError('SHAPE_MISMATCH', `"${name}" in ${path} has the shape ${shapes}`)
    }
  }
  for (const name of tensors.keys())
    if (!expected.has(name) && name !== ROPE_FACTORS)
      throw new LmError('UNSUPPORTED_MODEL', `${path} holds "${name}", which a model of its kind does not have here`)
}

function readScaling(file: GgufFile, name: string, context: number): RopeScaling | null {
  const key = (rest: string) => `${name}.rope.scaling.${rest}`
  const type = file.metadata.get(key('type')) ?? 'none'
  if (type === 'none') return null
  const factor = numeric(file, key('factor'))
  if (type === 'linear') return { type, factor }
  if (type !== 'yarn') throw new LmError('UNSUPPORTED_MODEL', `${file.path}: ${key('type')} ${shown(type)} is not supported`)
  return {
    type,
    factor,
    originalContext: numeric(file, key('original_context_length'), context),
    betaFast: numeric(file, key('yarn_beta_fast'), 32),
    betaSlow: numeric(file, key('yarn_beta_slow'), 1),
    attentionFactor: numeric(file, key('attn_factor'), 1) * yarnAttentionFactor(factor),
    truncate: true,
  }
}

/** Llama 3's scaling as a file has it: divisors of the angles. The numbers they come from are found by trying the published ones. */
async function readFactors(file: GgufFile, config: ModelConfig): Promise<RopeScaling> {
  const given = await file.read(ROPE_FACTORS)
  const factor = given.reduce((largest, value) => Math.max(largest, value), 1)
  for (let originalContext = 16; originalContext <= 1 << 20; originalContext *= 2) {
    const scaling = { type: 'llama3', factor, lowFreqFactor: 1, highFreqFactor: 4, originalContext } as const
    const made = ropeFactors({ ...config, ropeScaling: scaling })!
    if (made.length === given.length && made.every((value, pair) => Math.abs(value / given[pair]! - 1) < 1e-5)) return scaling
  }
  throw new LmError('UNSUPPORTED_MODEL', `${file.path}: "${ROPE_FACTORS}" holds other factors than Llama 3's`)
}

function readIds(file: GgufFile, vocabSize: number): Pick<ModelConfig, 'bosId' | 'eosIds' | 'padId'> {
  const id = (name: string): number[] => {
    const value = file.metadata.get(`tokenizer.ggml.${name}_token_id`)
    return typeof value === 'number' && value >= 0 && value < vocabSize ? [value] : []
  }
  // Whether a beginning is put before texts is told apart from which token that would be; where it is not told, Llama's kinds do.
  const kinds = ['model', 'pre'].map((key) => file.metadata.get(`tokenizer.ggml.${key}`))
  const adds = file.metadata.get('tokenizer.ggml.add_bos_token') ?? (kinds[0] === 'llama' || isLlama3(kinds[1]))
  return {
    bosId: adds === true ? (id('bos')[0] ?? null) : null,
    eosIds: [...new Set([...id('eos'), ...id('eot')])],
    padId: id('padding')[0] ?? null,
  }
}

function numeric({ metadata, path }: GgufFile, key: string, fallback?: number): number {
  const value = metadata.get(key) ?? fallback
  if (value === undefined) throw new LmError('INVALID_CONFIG', `${path} lacks the key ${key}`)
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number') throw new LmError('UNSUPPORTED_MODEL', `${path}: ${key} ${shown(value)} is not a number`)
  return float32Written(number)
}

/** A float32 read as a float64 shows digits nobody wrote (1e-5 becomes 9.99999974e-6): the shortest number with the same float32. */
function float32Written(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value
  return Number(value.toPrecision(7))
}

function text({ metadata, path }: GgufFile, key: string): string {
  const value = metadata.get(key)
  if (typeof value !== 'string') throw new LmError('INVALID_CONFIG', `${path} lacks the key ${key}`)
  return value
}

function shown(value: GgufValue): string {
  return typeof value === 'object' ? 'a list' : typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function guarded<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof LmError) throw new LmError(error.code, `${path}: ${error.message}`, { cause: error })
    throw error
  }
}
