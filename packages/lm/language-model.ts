import { basename, resolve } from 'node:path'
import type { StateDict } from '@enigma/nn'
import type { FloatTensor } from '@enigma/tensor/formats'
import type { ChatTemplate } from './chat/chat-template.js'
import { loadChatTemplate } from './chat/template-file.js'
import { type ModelFolder, openModelFolder } from './checkpoint/index.js'
import { createConfig, type ModelConfig } from './config.js'
import { LmError } from './errors.js'
import { describedIn, isAdapterFolder, readAdapter } from './formats/peft-adapter.js'
import { hubNameOf } from './hub/hub-cache.js'
import { parameterCount } from './memory.js'
import { parameterSpecs } from './parameters.js'
import { presetOf } from './presets.js'
import {
  bytesOf,
  isQuantized,
  type ModelWeights,
  type Quantization,
  type QuantizationName,
  quantizationOf,
  quantizedWeights,
  quantizeParameter,
} from './quantization/quantization.js'
import { Tokenizer } from './tokenizer/index.js'

export interface LoadOptions {
  /** Compare files with the hashes in `enigma.json`. Default true. */
  readonly verify?: boolean
  /** Round the weights while they are read: `int8` or `int4`. Default: as they are. */
  readonly quantization?: QuantizationName
  /** Neighbours of a row that share a scale: 16, 32, 64, 128 or 256. Default 32. */
  readonly groupSize?: number
}

/** A model in memory: its shape, its weights and its tokenizer. */
export class LanguageModel {
  private constructor(
    /** The folder's name; of a model out of the Hugging Face cache `owner/name`. */
    readonly name: string,
    readonly folder: string,
    readonly preset: string | null,
    readonly config: ModelConfig,
    /** The weights as they are kept: some of a quantized model in few bits. */
    readonly stored: ModelWeights,
    readonly tokenizer: Tokenizer,
    /** How it writes conversations; null for models of running text. */
    readonly chatTemplate: ChatTemplate | null,
  ) {}

  /**
   * Reads a model folder, ours or a Hugging Face Llama's, or the folder of a LoRA adapter in PEFT's layout, which is added to the
   * model that it names.
   * @throws LmError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, HASH_MISMATCH, UNSUPPORTED_MODEL …, naming the file;
   * QUANTIZED_MODEL for a quantized folder that is to be quantized again; TENSOR_OVERFLOW
   */
  static async load(folder: string, options: LoadOptions = {}): Promise<LanguageModel> {
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
    const weights = await readWeights(files, options)
    const name = nameOf(folder)
    const template = await loadChatTemplate(folder, tokenizer)
    const preset = info?.preset ?? presetOf(config)
    return new LanguageModel(name, resolve(folder), preset, endingTurns(config, template), weights, tokenizer, template)
  }

  static async #adapted(folder: string, { verify = true, ...options }: LoadOptions): Promise<LanguageModel> {
    // An adapter may adapt another one, but not, by detours, itself.
    await describedIn(folder)
    const adapter = await readAdapter(folder)
    const base = await LanguageModel.load(adapter.base, { verify })
    const template = (await loadChatTemplate(folder, base.tokenizer)) ?? base.chatTemplate
    const added = adapter.addTo(base.weights as Record<string, FloatTensor>)
    const weights = quantizedWeights(base.config, added, wishOf(options))
    const config = endingTurns(base.config, template)
    return new LanguageModel(nameOf(folder), resolve(folder), base.preset, config, weights, base.tokenizer, template)
  }

  /** A model whose parts are in memory already; `weights` are used as they are, not copied. */
  static inMemory(
    name: string,
    config: ModelConfig,
    weights: ModelWeights,
    tokenizer: Tokenizer,
    chatTemplate: ChatTemplate | null = null,
  ): LanguageModel {
    return new LanguageModel(name, '', presetOf(config), config, weights, tokenizer, chatTemplate)
  }

  /**
   * The weights as float32.
   * @throws LmError QUANTIZED_MODEL for a quantized model: what was rounded away is gone, so it is no beginning for training
   */
  get weights(): StateDict {
    const { stored } = this
    if (Object.values(stored).some(isQuantized)) throw quantizedModel(this.name)
    return stored as StateDict
  }

  /** Bytes of the weights in memory. */
  get bytes(): number {
    return Object.values(this.stored).reduce((sum, tensor) => sum + bytesOf(tensor), 0)
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

/** A folder's name; of one in the Hugging Face cache, that of the model on the hub. */
const nameOf = (folder: string) => hubNameOf(folder) ?? basename(resolve(folder))

const quantizedModel = (name: string) =>
  new LmError(
    'QUANTIZED_MODEL',
    `The model '${name}' is quantized: it answers, but cannot be trained or rounded again. Take the model that it was made from.`,
  )

function wishOf({ quantization, groupSize }: LoadOptions): Quantization | null {
  return quantization === undefined ? null : quantizationOf(quantization, groupSize)
}

/**
 * The tensors the model has, one after the other, so that there is never more than one in float32 of what is quantized; files may hold
 * more (an output head beside tied embeddings, tables of angles), which it does not use.
 */
async function readWeights(files: ModelFolder, options: LoadOptions): Promise<ModelWeights> {
  const { folder, config, tensors, quantized } = files
  const quantization = wishOf(options)
  if (quantized && quantization) throw quantizedModel(nameOf(folder))
  const weights: [string, ModelWeights[string]][] = []
  for (const spec of parameterSpecs(config))
    weights.push([
      spec.name,
      quantized ? await quantized.stored(spec.name) : quantizeParameter(spec, await tensors.read(spec.name), quantization),
    ])
  return Object.fromEntries(weights)
}
