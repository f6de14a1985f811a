import type { FileDigest, TensorReader, WriteOptions } from '@enigma/tensor/formats'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { parameterSpecs } from '../parameters.js'
import type { TypedValue } from './gguf-encode.js'
import { type GgufContent, writeGguf } from './gguf-file.js'
import { ggufArchitecture, ROPE_FACTORS, ropeFactors, shapeMetadata } from './gguf-model.js'
import { ggufName, turnedHeads, turnRows } from './gguf-names.js'
import { type TokenizerContent, tokenizerMetadata } from './gguf-tokenizer.js'
import { GGUF_TYPES, type GgufTypeName } from './gguf-types.js'

/** How the matrices of a GGUF file are stored, and what llama.cpp calls such a file (`llama_ftype`). */
export const GGUF_FILE_TYPES = {
  f32: { stored: 'F32', ftype: 0 },
  f16: { stored: 'F16', ftype: 1 },
  bf16: { stored: 'BF16', ftype: 32 },
  q8_0: { stored: 'Q8_0', ftype: 7 },
  q4_0: { stored: 'Q4_0', ftype: 2 },
} as const satisfies Readonly<Record<string, { stored: GgufTypeName; ftype: number }>>

export type GgufFileType = keyof typeof GGUF_FILE_TYPES

/** What goes into a GGUF file. */
export interface GgufModelContent {
  readonly name: string
  readonly config: ModelConfig
  readonly tensors: Pick<TensorReader, 'read'>
  readonly tokenizer: TokenizerContent
  readonly type: GgufFileType
  /** Called with the number of tensors written, and of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes a model for llama.cpp, atomically, holding one tensor at a time. Norms and biases stay float32; so that 4 bits cost less, the
 * embedding and the head are stored in 8; matrices whose rows are no multiple of 32 in half precision.
 * @throws LmError UNSUPPORTED_MODEL, TENSOR_OVERFLOW
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function exportGguf(path: string, content: GgufModelContent, options: WriteOptions = {}): Promise<FileDigest> {
  const { name, config, tensors, tokenizer, type, onProgress, signal } = content
  const architecture = ggufArchitecture(config)
  const { ftype } = GGUF_FILE_TYPES[type]
  const quantized = type === 'q8_0' || type === 'q4_0'
  const metadata: Record<string, TypedValue> = {
    'general.architecture': { type: 'string', value: architecture.name },
    'general.type': { type: 'string', value: 'model' },
    'general.name': { type: 'string', value: name },
    'general.file_type': { type: 'u32', value: ftype },
    ...(quantized && { 'general.quantization_version': { type: 'u32', value: 2 } }),
    ...shapeMetadata(config),
    ...tokenizerMetadata(tokenizer, config),
  }
  const specs = parameterSpecs(config)
  const factors = ropeFactors(config)
  const written: GgufContent[] = specs.map((spec, index) => ({
    name: ggufName(spec.name),
    shape: spec.shape,
    type: storedAs(spec, type),
    values: async () => {
      if (signal?.aborted) throw new LmError('ABORTED', `Stopped: ${path} was not written`, { cause: signal.reason })
      onProgress?.(index, specs.length)
      const data = await tensors.read(spec.name)
      const heads = architecture.turned ? turnedHeads(spec.name, config) : 0
      return heads === 0 ? data : turnRows(data, spec.shape[0]!, heads, 'to neighbours')
    },
  }))
  if (factors) written.push({ name: ROPE_FACTORS, shape: [factors.length], type: 'F32', values: () => factors })
  const digest = await writeGguf(path, metadata, written, options)
  onProgress?.(specs.length, specs.length)
  return digest
}

function storedAs({ name, shape }: { name: string; shape: readonly number[] }, type: GgufFileType): GgufTypeName {
  if (shape.length === 1) return 'F32'
  const wanted = type === 'q4_0' && /^(model\.embed_tokens|lm_head)\./.test(name) ? 'Q8_0' : GGUF_FILE_TYPES[type].stored
  return shape.at(-1)! % GGUF_TYPES[wanted].block === 0 ? wanted : 'F16'
}
