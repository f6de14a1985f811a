import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Device } from '@enigma/tensor'
import { prepareTokens } from '../data/index.js'
import { LmError } from '../errors.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { isQuantized, type QuantizationName } from '../quantization/quantization.js'
import { DecodingLoss } from './decoding-loss.js'
import { LossProgram } from './loss-program.js'
import { type LossOptions, type LossSource, type MeasuredLoss, measureLoss } from './measure-loss.js'
import { ngramReference, type Reference, xzReference } from './references.js'

export interface EvaluateOptions {
  /** Text files, folders, globs. */
  readonly data: readonly string[]
  /** Of conversations, measure only what the assistant says. Default false. */
  readonly answersOnly?: boolean
  /** Windows per run. Default 4. */
  readonly batch?: number
  /**
   * Also measure on the same bytes `xz -9e` (where it is installed) and, where `ngramTrain` names text, a 5-gram model of that text over the
   * same tokens. Not with `answersOnly`.
   */
  readonly compare?: { readonly ngramTrain?: readonly string[] }
  readonly threads?: number
  readonly spin?: boolean
  /** Where it is computed: `cpu` (default), `webgpu` or `cuda`, if this build of ONNX Runtime and this machine have it. */
  readonly device?: Device
  /** Round the weights first, and compute as a model with such weights answers: `int8` or `int4`. Default: as they are. */
  readonly quantization?: QuantizationName
  /** Neighbours of a row of weights that share a scale. Default 32. */
  readonly groupSize?: number
  readonly signal?: AbortSignal
  /** Windows done and in all. */
  readonly onProgress?: (done: number, total: number) => void
}

export interface Evaluation extends MeasuredLoss {
  /** Where `compare` asked for them. */
  readonly references?: readonly Reference[]
}

/**
 * Bits per byte of a model on text: full windows of the model's context without overlap; every byte counts but the
 * `<|endoftext|>` lines. With `answersOnly`: whole conversations in windows of that length, every byte of the answers.
 * @throws LmError FILE_NOT_FOUND, DATA_EMPTY, DATA_TOO_SMALL, INVALID_OPTION and what loading the model throws
 */
export async function evaluate(folder: string, options: EvaluateOptions): Promise<Evaluation> {
  const {
    data,
    answersOnly = false,
    batch = 4,
    compare,
    signal,
    onProgress,
    threads,
    spin,
    device,
    quantization,
    groupSize,
  } = options
  if (compare && answersOnly) throw new LmError('INVALID_OPTION', 'References are measured on whole texts, not on answers only.')
  const model = await LanguageModel.load(folder, {
    ...(quantization !== undefined && { quantization }),
    ...(groupSize !== undefined && { groupSize }),
  })
  const scratch = await mkdtemp(join(tmpdir(), 'enigma-eval-'))
  try {
    const prepared = await prepareTokens({
      files: data,
      tokenizer: model.tokenizer,
      template: model.chatTemplate,
      answersOnly,
      folder: scratch,
      ...(signal && { signal }),
    })
    using tokens = prepared.dataset
    const length = model.config.context
    const windows = tokens.windows({ split: 'train', batchSize: batch, sequenceLength: length })
    const predicted = windows.count * length
    const program = await lossOf(model, {
      batch,
      length,
      ...(threads !== undefined && { threads }),
      ...(spin !== undefined && { spin }),
      ...(device !== undefined && { device }),
    })
    try {
      const measured = await measureLoss(program, windows, { ...(signal && { signal }), ...(onProgress && { onProgress }) })
      if (!compare) return measured
      return {
        ...measured,
        references: await measureReferences(model, tokens.read().subarray(0, predicted + 1), compare, scratch, signal),
      }
    } finally {
      program.close()
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** @param tokens those of the windows, and the one before the first target */
async function measureReferences(
  { tokenizer, chatTemplate: template }: LanguageModel,
  tokens: Uint32Array,
  { ngramTrain }: NonNullable<EvaluateOptions['compare']>,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<Reference[]> {
  const counted = [...tokens.keys()].filter((at) => at > 0 && !tokenizer.specialTokens.has(tokens[at]!))
  const bytes = Buffer.concat(counted.map((at) => tokenizer.tokenBytes(tokens[at]!)))
  const text = { tokens, counted, bytes }
  const xz = await xzReference(text, 'xz', signal)
  if (!ngramTrain) return [xz]
  const folder = join(scratch, 'ngram')
  const prepared = await prepareTokens({ files: ngramTrain, tokenizer, template, folder, ...(signal && { signal }) })
  using learned = prepared.dataset
  return [xz, await ngramReference(text, learned.read(), tokenizer.vocabSize, signal)]
}

/** By the program that training differentiates; of a quantized model by the one that answers. */
function lossOf(model: LanguageModel, options: LossOptions): Promise<LossSource> {
  const { config, stored } = model
  if (Object.values(stored).some(isQuantized)) return DecodingLoss.compile(config, stored, options)
  const network = new LlamaForCausalLM(config, { seed: null })
  network.loadStateDict(model.weights)
  return LossProgram.compile(network, options)
}
