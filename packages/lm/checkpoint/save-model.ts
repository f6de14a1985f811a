import type { FileContent, FloatTensor, LazyTensor, StoredDtype } from '@enigma/tensor/formats'
import { safetensorsBytes, safetensorsStream } from '@enigma/tensor/formats'
import type { ModelConfig } from '../config.js'
import { configToHuggingFace } from '../huggingface-config.js'
import { presetOf } from '../presets.js'
import { type CommitOptions, commitFiles } from './folder-commit.js'
import { CARD, CONFIG, INFO, INFO_FORMAT, MODEL, TOKENIZER } from './model-folder.js'

/** What a model folder is made of. */
export interface ModelContent {
  readonly config: ModelConfig
  /** Those of `parameterSpecs(config)`: by Hugging Face name, or a list whose values are read one after the other. */
  readonly tensors: Readonly<Record<string, FloatTensor>> | readonly LazyTensor[]
  /** The text of `tokenizer.json`. */
  readonly tokenizerJson: string
  /** How weights are stored (default 'f32'). */
  readonly dtype?: StoredDtype
  /** Further files that belong to the model: `tokenizer_config.json`. */
  readonly beside?: Readonly<Record<string, FileContent>>
  /** The model card, in Markdown. */
  readonly card?: string
  /** What made it, for `enigma.json` (default 'enigma'). */
  readonly createdBy?: string
}

/**
 * Writes a model folder that this project and Hugging Face transformers read. All files change together or not at all.
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED, SHAPE_MISMATCH, TENSOR_OVERFLOW
 */
export async function saveModel(folder: string, content: ModelContent, options: CommitOptions = {}): Promise<void> {
  const { config, tensors, tokenizerJson, dtype = 'f32', card, createdBy = 'enigma', beside = {} } = content
  const files: [string, FileContent][] = [
    [CONFIG, json(configToHuggingFace(config, dtype))],
    [TOKENIZER, tokenizerJson],
    [MODEL, isList(tensors) ? safetensorsStream(tensors, { dtype }) : safetensorsBytes(tensors, { dtype })],
    ...Object.entries(beside),
  ]
  if (card !== undefined) files.push([CARD, card])
  // The card is for people to edit; what decides the model's output is hashed.
  const info = (digests: object) =>
    [INFO, json({ format: INFO_FORMAT, preset: presetOf(config), createdBy, files: { ...digests, [CARD]: undefined } })] as const
  await commitFiles(folder, files, info, options)
}

const isList = (tensors: ModelContent['tensors']): tensors is readonly LazyTensor[] => Array.isArray(tensors)

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
