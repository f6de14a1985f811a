import { basename, dirname, resolve } from 'node:path'
import type { StateDict } from '@enigma/nn'
import {
  type FileDigest,
  type FloatTensor,
  removeLeftovers,
  type StoredDtype,
  safetensorsStream,
  type TensorReader,
  writeAtomic,
} from '@enigma/tensor/formats'
import { openModelFolder } from '../checkpoint/index.js'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { parameterSpecs } from '../parameters.js'
import { readChatTemplate, readJsonObject } from './companions.js'
import { exportGguf, GGUF_FILE_TYPES, type GgufFileType } from './export-gguf.js'
import { onnxBytes } from './export-onnx.js'

/** The formats a model is written in, and how each may store the weights. */
export const EXPORT_FORMATS = {
  gguf: Object.keys(GGUF_FILE_TYPES) as readonly GgufFileType[],
  safetensors: ['f32', 'f16', 'bf16'],
  onnx: ['f32'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type ExportFormat = keyof typeof EXPORT_FORMATS

export interface ExportModelOptions {
  readonly format: ExportFormat
  /** How weights are stored. Default: as most of them are in the folder; of ONNX always f32. */
  readonly type?: string
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface ExportedModel extends FileDigest {
  readonly file: string
  readonly format: ExportFormat
  readonly type: string
}

/**
 * Writes the model of a folder into one file, atomically: `gguf` for llama.cpp, tokenizer and chat template included, and `safetensors`,
 * the weights alone, holding one tensor at a time; `onnx` one decoding step for ONNX Runtime (see `onnxBytes`).
 * @throws LmError INVALID_OPTION for a type the format does not have; UNSUPPORTED_MODEL, TENSOR_OVERFLOW, ABORTED, and as
 * `openModelFolder`; TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function exportModel(folder: string, file: string, options: ExportModelOptions): Promise<ExportedModel> {
  const { format, onProgress, signal } = options
  await using files = await openModelFolder(folder)
  const type = options.type ?? (format === 'onnx' ? 'f32' : mostlyStoredAs(files.tensors))
  const known: readonly string[] = EXPORT_FORMATS[format]
  if (!known.includes(type))
    throw new LmError('INVALID_OPTION', `A ${format} file holds weights as ${known.join(', ')}, not as ${JSON.stringify(type)}`)
  const { config, tensors, tokenizerPath } = files
  // An export that was killed leaves a hidden file as large as this one will be.
  await removeLeftovers(dirname(resolve(file)))
  if (format === 'safetensors') {
    const digest = await writeAtomic(file, safetensorsStream(lazily(config, tensors, options), { dtype: type as StoredDtype }))
    return { ...digest, file: resolve(file), format, type }
  }
  if (format === 'onnx') {
    const digest = await writeAtomic(file, onnxBytes(config, await weightsOf(config, tensors, options)))
    return { ...digest, file: resolve(file), format, type }
  }
  if (tokenizerPath === null)
    throw new LmError('FILE_NOT_FOUND', `${folder} has no tokenizer.json. Copy it from where the model comes from.`)
  const digest = await exportGguf(file, {
    name: basename(resolve(folder)),
    ...{ config, tensors, onProgress, signal },
    tokenizer: { json: await readJsonObject(tokenizerPath), chatTemplate: await readChatTemplate(folder) },
    type: type as GgufFileType,
  })
  return { ...digest, file: resolve(file), format, type }
}

async function weightsOf(config: ModelConfig, tensors: TensorReader, options: ExportModelOptions): Promise<StateDict> {
  const weights: [string, FloatTensor][] = []
  for (const { name, shape, pieces } of lazily(config, tensors, options))
    for await (const data of pieces()) weights.push([name, { dtype: 'f32', shape, data }])
  return Object.fromEntries(weights)
}

function lazily(config: ModelConfig, tensors: TensorReader, { onProgress, signal }: ExportModelOptions) {
  const specs = parameterSpecs(config)
  return specs.map(({ name, shape }, index) => ({
    name,
    shape,
    async *pieces() {
      if (signal?.aborted) throw new LmError('ABORTED', 'The export was stopped; nothing was written', { cause: signal.reason })
      onProgress?.(index + 1, specs.length)
      yield await tensors.read(name)
    },
  }))
}

function mostlyStoredAs({ tensors }: TensorReader): StoredDtype {
  const bytes = new Map<string, number>()
  for (const { dtype, bytes: size } of tensors.values()) bytes.set(dtype, (bytes.get(dtype) ?? 0) + size)
  const [most] = [...bytes].sort((a, b) => b[1] - a[1])[0] ?? ['F32']
  return most === 'F16' ? 'f16' : most === 'BF16' ? 'bf16' : 'f32'
}
