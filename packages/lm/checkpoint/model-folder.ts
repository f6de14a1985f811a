import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TensorReader } from '@enigma/tensor/formats'
import { errorCode, openTensors, removeLeftovers } from '@enigma/tensor/formats'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { generationIds } from '../formats/generation-ids.js'
import { configFromHuggingFace } from '../huggingface-config.js'
import { parameterSpecs } from '../parameters.js'
import type { Quantization } from '../quantization/quantization.js'
import { quantizationFromConfig } from '../quantization/quantization-config.js'
import { QuantizedTensors } from '../quantization/quantized-tensors.js'
import { type Digests, parseDigests, verifyFiles } from './digest.js'
import { finishCommit } from './folder-commit.js'

/**
 * A model folder: `config.json`, `tokenizer.json`, `model.safetensors` as Hugging Face has them, and of ours `enigma.json`
 * (hashes of the files, where they come from), `README.md` (the model card), `trainer/` (checkpoints).
 */

export const CONFIG = 'config.json'
export const TOKENIZER = 'tokenizer.json'
export const MODEL = 'model.safetensors'
export const CARD = 'README.md'
export const INFO = 'enigma.json'
export const INFO_FORMAT = 1
/** What makes a folder an adapter's, in PEFT's layout. */
export const ADAPTER = 'adapter_config.json'

/** What `enigma.json` says. */
export interface ModelInfo {
  readonly preset: string | null
  readonly createdBy: string
  readonly files: Digests
}

/** An open model folder. Close it, or hold it with `await using`. */
export interface ModelFolder extends AsyncDisposable {
  readonly folder: string
  readonly config: ModelConfig
  /** Path of `tokenizer.json`; null where the folder has none. */
  readonly tokenizerPath: string | null
  /** Holds at least every tensor of `parameterSpecs(config)`, in the right shape; of a quantized model the numbers it stands for. */
  readonly tensors: TensorReader
  /** The same with its matrices in few bits; null where they are stored as numbers. */
  readonly quantized: QuantizedTensors | null
  /** Null for folders that this project did not write. */
  readonly info: ModelInfo | null
  close(): Promise<void>
}

/**
 * Opens a model folder, ours or a Hugging Face Llama's.
 * @param options.verify compare the files with the hashes in `enigma.json`, where there is one (default true)
 * @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, HASH_MISMATCH, INVALID_CONFIG, UNSUPPORTED_MODEL, TENSOR_MISSING,
 * SHAPE_MISMATCH: each names the file
 */
export async function openModelFolder(folder: string, options: { readonly verify?: boolean } = {}): Promise<ModelFolder> {
  await removeLeftovers(folder)
  await finishCommit(folder)
  const given = await readConfig(folder)
  const info = await readModelInfo(folder)
  if (info && options.verify !== false)
    await verifyFiles(folder, info.files, `Copy the model again, or delete ${INFO} if you changed it yourself`)
  const config = info ? given : Object.freeze({ ...given, ...(await generationIds(folder, given)) })
  const quantization = await readQuantization(folder)
  const stored = await openTensors(folder)
  let quantized: QuantizedTensors | null = null
  try {
    quantized = quantization && new QuantizedTensors(stored, config, quantization)
    checkTensors(config, quantized ?? stored)
  } catch (error) {
    await stored.close()
    throw error
  }
  const tokenizer = join(folder, TOKENIZER)
  const close = () => stored.close()
  return {
    folder,
    config,
    tokenizerPath: (await exists(tokenizer)) ? tokenizer : null,
    tensors: quantized ?? stored,
    quantized,
    info,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, INVALID_CONFIG, UNSUPPORTED_MODEL */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, CONFIG)
  const json = await readJson(path)
  if (json === undefined) {
    const why = (await exists(folder)) ? `it has no ${CONFIG}` : 'it does not exist'
    throw new LmError('FILE_NOT_FOUND', `${folder} is not a model folder: ${why}`)
  }
  return configFromHuggingFace(json, path)
}

/** How the weights of a folder are rounded; null where they are numbers. @throws as `readConfig` */
export async function readQuantization(folder: string): Promise<Quantization | null> {
  const path = join(folder, CONFIG)
  return quantizationFromConfig(await readJson(path), path)
}

/** What `enigma.json` says; null where there is none. */
export async function readModelInfo(folder: string): Promise<ModelInfo | null> {
  const path = join(folder, INFO)
  const json = await readJson(path)
  if (json === undefined) return null
  const fields: Record<string, unknown> = typeof json === 'object' && json !== null ? { ...json } : {}
  if (fields.format !== INFO_FORMAT) {
    throw new LmError('FILE_CORRUPT', `${path} has format ${JSON.stringify(fields.format)}; this version reads ${INFO_FORMAT}`)
  }
  return {
    preset: typeof fields.preset === 'string' ? fields.preset : null,
    createdBy: typeof fields.createdBy === 'string' ? fields.createdBy : 'unknown',
    files: parseDigests(fields.files, path),
  }
}

/**
 * Refuses a folder that already holds a model or checkpoints, so that nothing trained is overwritten by accident; or files of the
 * same names, which are somebody's.
 * @param replaced files that would be written over or removed, beside `config.json`
 * @throws LmError MODEL_EXISTS
 */
export async function refuseExistingModel(
  folder: string,
  replaced: readonly string[],
  advice = 'Continue it with --resume, replace it with --force, or choose another folder',
): Promise<void> {
  const names = await readdir(folder).catch((): string[] => [])
  const checkpoints = await readdir(join(folder, 'trainer')).catch((): string[] => [])
  const weights = names.find((name) => name === MODEL || name === `${MODEL}.index.json`)
  const other = names.find((name) => name === CONFIG || name === ADAPTER || replaced.includes(name))
  const what = weights
    ? 'a model'
    : checkpoints.some((name) => name.startsWith('checkpoint-'))
      ? 'checkpoints of a training run'
      : other
  if (what !== undefined) throw new LmError('MODEL_EXISTS', `${folder} already holds ${what}. ${advice}`)
}

const weightTypes: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16'])

function checkTensors(config: ModelConfig, tensors: TensorReader): void {
  for (const { name, shape } of parameterSpecs(config)) {
    const found = tensors.tensors.get(name)
    if (!found) throw new LmError('TENSOR_MISSING', `${tensors.path} lacks "${name}", which ${CONFIG} calls for`)
    if (found.shape.length !== shape.length || found.shape.some((size, axis) => size !== shape[axis])) {
      const shapes = `[${found.shape.join(', ')}], ${CONFIG} calls for [${shape.join(', ')}]`
      throw new LmError('SHAPE_MISMATCH', `"${name}" in ${tensors.path} has the shape ${shapes}`)
    }
    if (!weightTypes.has(found.dtype))
      throw new LmError(
        'TENSOR_UNSUPPORTED',
        `"${name}" in ${tensors.path} is ${found.dtype}; weights are read as ${[...weightTypes].join(', ')}`,
      )
  }
}

/** The parsed file; undefined where there is none. */
async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined
    throw new LmError('FILE_NOT_FOUND', `${path} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
  try {
    return JSON.parse(text) ?? null
  } catch (error) {
    throw new LmError('FILE_CORRUPT', `${path} is damaged: it is not JSON`, { cause: error })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
