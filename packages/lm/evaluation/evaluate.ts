import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Device } from '@enigma/tensor'
import { prepareTokens } from '../data/index.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { LossProgram } from './loss-program.js'
import { type MeasuredLoss, measureLoss } from './measure-loss.js'

export interface EvaluateOptions {
  /** Text files, folders, globs. */
  readonly data: readonly string[]
  /** Of conversations, measure only what the assistant says. Default false. */
  readonly answersOnly?: boolean
  /** Windows per run. Default 4. */
  readonly batch?: number
  readonly threads?: number
  readonly spin?: boolean
  /** Where it is computed: `cpu` (default), `webgpu` or `cuda`, if this build of ONNX Runtime and this machine have it. */
  readonly device?: Device
  readonly signal?: AbortSignal
  /** Windows done and in all. */
  readonly onProgress?: (done: number, total: number) => void
}

export type Evaluation = MeasuredLoss

/**
 * Bits per byte of a model on text: full windows of the model's context without overlap; every byte counts but the
 * `<|endoftext|>` lines. With `answersOnly`: whole conversations in windows of that length, every byte of the answers.
 * @throws LmError FILE_NOT_FOUND, DATA_EMPTY, DATA_TOO_SMALL and what loading the model throws
 */
export async function evaluate(folder: string, options: EvaluateOptions): Promise<Evaluation> {
  const { data, answersOnly = false, batch = 4, signal, onProgress, threads, spin, device } = options
  const model = await LanguageModel.load(folder)
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
    const network = new LlamaForCausalLM(model.config, { seed: null })
    network.loadStateDict(model.weights)
    const program = await LossProgram.compile(network, {
      batch,
      length,
      ...(threads !== undefined && { threads }),
      ...(spin !== undefined && { spin }),
      ...(device !== undefined && { device }),
    })
    try {
      return await measureLoss(program, windows, { ...(signal && { signal }), ...(onProgress && { onProgress }) })
    } finally {
      program.close()
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
