import { basename, resolve } from 'node:path'
import type { StateDict } from '@enigma/nn'
import type { FloatTensor, TensorReader } from '@enigma/tensor/formats'
import type { ChatTemplate } from './chat/chat-template.js'
import { loadChatTemplate } from './chat/template-file.js'
import { type ModelFolder, openModelFolder } from './checkpoint/index.js'
import type { ModelConfig } from './config.js'
import { LmError } from './errors.js'
import { parameterCount } from './memory.js'
import { parameterSpecs } from './parameters.js'
import { presetOf } from './presets.js'
import { Tokenizer } from './tokenizer/index.js'

/** A model in memory: its shape, its weights and its tokenizer. */
export class LanguageModel {
  private constructor(
    /** The folder's name. */
    readonly name: string,
    readonly folder: string,
    readonly preset: string | null,
    readonly config: ModelConfig,
    readonly weights: StateDict,
    readonly tokenizer: Tokenizer,
    /** How it writes conversations; null for models of running text. */
    readonly chatTemplate: ChatTemplate | null,
  ) {}

  /**
   * Reads a model folder, ours or a Hugging Face Llama's.
   * @param options.verify compare files with the hashes in `enigma.json` (default true)
   * @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, HASH_MISMATCH, UNSUPPORTED_MODEL …, naming the file
   */
  static async load(folder: string, options: { readonly verify?: boolean } = {}): Promise<LanguageModel> {
    await using files: ModelFolder = await openModelFolder(folder, options)
    const { config, info, tokenizerPath } = files
    if (!tokenizerPath)
      throw new LmError('FILE_NOT_FOUND', `${folder} has no tokenizer.json. Copy it from where the model comes from.`)
    const tokenizer = await Tokenizer.load(tokenizerPath)
    if (tokenizer.vocabSize > config.vocabSize)
      throw new LmError(
        'SHAPE_MISMATCH',
        `${tokenizerPath} has ${tokenizer.vocabSize} tokens, the model ${config.vocabSize}: they do not belong together.`,
      )
    const weights = await readParameters(config, files.tensors)
    const name = basename(resolve(folder))
    const template = await loadChatTemplate(folder, tokenizer)
    return new LanguageModel(name, resolve(folder), info?.preset ?? presetOf(config), config, weights, tokenizer, template)
  }

  /** A model whose parts are in memory already; `weights` are used as they are, not copied. */
  static inMemory(
    name: string,
    config: ModelConfig,
    weights: StateDict,
    tokenizer: Tokenizer,
    chatTemplate: ChatTemplate | null = null,
  ): LanguageModel {
    return new LanguageModel(name, '', presetOf(config), config, weights, tokenizer, chatTemplate)
  }

  get parameters(): number {
    return parameterCount(this.config)
  }
}

/** The tensors the model has; files may hold more (an output head beside tied embeddings, tables of angles), which it does not use. */
async function readParameters(config: ModelConfig, reader: TensorReader): Promise<Record<string, FloatTensor>> {
  const entries: [string, FloatTensor][] = []
  for (const { name } of parameterSpecs(config)) {
    const info = reader.tensors.get(name)
    if (info) entries.push([name, { dtype: 'f32', shape: info.shape, data: await reader.read(name) }])
  }
  return Object.fromEntries(entries)
}
