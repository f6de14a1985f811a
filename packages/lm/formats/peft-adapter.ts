import { readdir, realpath } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { type FloatTensor, openTensors, readTensors, safetensorsBytes } from '@enigma/tensor/formats'
import { commitFiles } from '../checkpoint/folder-commit.js'
import { ADAPTER } from '../checkpoint/model-folder.js'
import { LmError } from '../errors.js'
import { type LoraConfig, mergeLora } from '../model/lora.js'
import { readJsonObject } from './companions.js'
import { ConfigFields } from './config-fields.js'

/**
 * A LoRA adapter in the layout of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`, whose tensors are called
 * `base_model.model.<module>.lora_A.weight` and `….lora_B.weight`.
 */
const WEIGHTS = 'adapter_model.safetensors'
const PREFIX = 'base_model.model.'

/** What an adapter folder is made of. */
export interface AdapterContent {
  readonly config: LoraConfig
  /** Where the model lies that it was trained on. */
  readonly base: string
  /** By the names of the model's parameters: `model.layers.0.self_attn.q_proj.lora_A.weight`. */
  readonly tensors: Readonly<Record<string, FloatTensor>>
  /** Further files by name: `tokenizer_config.json` with the chat template. */
  readonly beside?: Readonly<Record<string, string>>
}

/** Writes an adapter that PEFT loads; both files change together. @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED */
export async function saveAdapter(folder: string, { config, base, tensors, beside = {} }: AdapterContent): Promise<void> {
  const named = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${PREFIX}${name}`, tensor]))
  const described = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: config.rank,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    target_modules: [...config.targets],
    bias: 'none',
    fan_in_fan_out: false,
    use_rslora: false,
    use_dora: false,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
    layers_to_transform: null,
    rank_pattern: {},
    alpha_pattern: {},
  }
  const describe = () => [ADAPTER, `${JSON.stringify(described, null, 2)}\n`] as const
  await commitFiles(folder, [[WEIGHTS, safetensorsBytes(named)], ...Object.entries(beside)], describe)
}

/** Whether a folder holds an adapter and no model of its own. */
export async function isAdapterFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => [])
  return names.includes(ADAPTER) && !names.includes('config.json')
}

/** The folder whose `config.json` describes the model in a folder: that of an adapter's model, else itself. @throws as `readAdapter` */
export async function describedIn(folder: string, above: readonly string[] = []): Promise<string> {
  if (!(await isAdapterFolder(folder))) return folder
  const path = await realpath(folder)
  if (above.includes(path)) throw new LmError('INVALID_CONFIG', `${folder}: its base models lead back to it`)
  return describedIn((await readAdapter(folder)).base, [...above, path])
}

/** The settings that this computes, and the values that PEFT writes for what it does not do. */
const required: Readonly<Record<string, (value: unknown) => boolean>> = {
  peft_type: (value) => value === 'LORA',
  bias: (value) => value === 'none',
  fan_in_fan_out: (value) => value === false,
  use_rslora: (value) => value === false,
  use_dora: (value) => value === false,
  modules_to_save: (value) => Array.isArray(value) && value.length === 0,
  rank_pattern: isEmpty,
  alpha_pattern: isEmpty,
}

/** An adapter on disk, and how to add it. */
export interface Adapter {
  /** The folder of the model it was trained on. */
  readonly base: string
  /** Adds it to the weights of that model; those it changes are replaced, not written. @throws LmError TENSOR_MISSING, SHAPE_MISMATCH */
  addTo(weights: Readonly<Record<string, FloatTensor>>): Record<string, FloatTensor>
}

/** @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, INVALID_CONFIG, UNSUPPORTED_MODEL naming file and field; TensorError */
export async function readAdapter(folder: string): Promise<Adapter> {
  const path = join(folder, ADAPTER)
  const json = await readJsonObject(path)
  if (!json) throw new LmError('FILE_NOT_FOUND', `${folder} has no ${ADAPTER}: it is no adapter`)
  const fields = new ConfigFields(json, path)
  for (const [name, accepts] of Object.entries(required))
    if (fields.has(name) && !accepts(json[name])) throw fields.unsupported(name, 'this loads plain LoRA adapters')
  const base = json.base_model_name_or_path
  if (typeof base !== 'string' || base === '')
    throw new LmError('INVALID_CONFIG', `${path} lacks base_model_name_or_path: the folder of the model it belongs to`)
  if (resolve(folder, base) === resolve(folder))
    throw new LmError('INVALID_CONFIG', `${path}: base_model_name_or_path is this folder itself`)
  const rank = fields.number('r', 8)
  if (!(rank > 0)) throw new LmError('INVALID_CONFIG', `${path}: r must be positive, got ${rank}`)
  const scale = fields.number('lora_alpha', 8) / rank
  await using reader = await openTensors(join(folder, WEIGHTS))
  const tensors = new Map(Object.entries(await readTensors(reader)))
  return {
    base: isAbsolute(base) ? base : resolve(folder, base),
    addTo: (weights) => added(weights, tensors, scale, reader.path),
  }
}

function added(
  weights: Readonly<Record<string, FloatTensor>>,
  tensors: ReadonlyMap<string, FloatTensor>,
  scale: number,
  path: string,
): Record<string, FloatTensor> {
  const result = { ...weights }
  for (const [name, a] of tensors) {
    const module = /^base_model\.model\.(.+)\.lora_A\.weight$/.exec(name)?.[1]
    if (module === undefined) {
      if (/\.lora_B\.weight$/.test(name)) continue
      throw new LmError('UNSUPPORTED_MODEL', `${path} holds "${name}": this loads lora_A and lora_B of linear layers`)
    }
    const b = tensors.get(`${PREFIX}${module}.lora_B.weight`)
    const weight = weights[`${module}.weight`]
    const missing = !b ? `${PREFIX}${module}.lora_B.weight` : !weight ? `${module}.weight` : undefined
    if (missing !== undefined || !b || !weight)
      throw new LmError('TENSOR_MISSING', `${path} adapts ${module}, but there is no tensor "${missing}"`)
    const [out, inputs] = weight.shape
    if (a.shape[1] !== inputs || b.shape[0] !== out || a.shape[0] !== b.shape[1])
      throw new LmError(
        'SHAPE_MISMATCH',
        `${path}: lora_A [${a.shape.join(', ')}] and lora_B [${b.shape.join(', ')}] do not fit ${module} [${weight.shape.join(', ')}]`,
      )
    result[`${module}.weight`] = mergeLora(weight, a, b, scale)
  }
  return result
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
