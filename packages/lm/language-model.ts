import { basename, resolve } from 'node:path'
import type { StateDict } from '@enigma/nn'
import type { FloatTensor, TensorReader } from '@enigma/tensor/formats'
import type { ChatTemplate } from './chat/chat-template.js'
import { loadChatTemplate } from './chat/template-file.js'
import { type ModelFolder, openModelFolder } from './checkpoint/index.js'
import { createConfig, type ModelConfig } from './config.js'
import { LmError } from './errors.js'
import { isAdapterFolder, readAdapter } from './formats/peft-adapter.js'
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
   * Reads a model folder, ours or a Hugging Face Llama's, or the folder of a LoRA adapter in PEFT's layout, which is added to the
   * model that it names.
   * @param options.verify compare files with the hashes in `enigma.json` (default true)
   * @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, HASH_MISMATCH, UNSUPPORTED_MODEL …, naming the file
   */
  static async load(folder: string, options: { readonly verify?: boolean } = {}): Promise<LanguageModel> {
    if (await isAdapterFolder(folder)) return LanguageModel.#adapted(folder, options)
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
    const preset = info?.preset ?? presetOf(config)
    return new LanguageModel(name, resolve(folder), preset, endingTurns(config, template), weights, tokenizer, template)
  }

  static async #adapted(folder: string, options: { readonly verify?: boolean }): Promise<LanguageModel> {
    const adapter = await readAdapter(folder)
    const base = await LanguageModel.load(adapter.base, options)
    const template = (await loadChatTemplate(folder, base.tokenizer)) ?? base.chatTemplate
    const weights = adapter.addTo(base.weights as Record<string, FloatTensor>)
    const config = endingTurns(base.config, template)
    return new LanguageModel(basename(resolve(folder)), resolve(folder), base.preset, config, weights, base.tokenizer, template)
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

/** A model that speaks in turns ends its text where it ends its turn, whatever else its configuration says. */
export function endingTurns(config: ModelConfig, template: ChatTemplate | null): ModelConfig {
  const end = template?.turnEnd
  return end === undefined || config.eosIds.includes(end) ? config : createConfig({ ...config, eosIds: [...config.eosIds, end] })
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
