import { resolve } from 'node:path'
import { optim } from '@enigma/nn'
import { ChatTemplate, chatMl } from '../chat/chat-template.js'
import { createConfig, type ModelConfig } from '../config.js'
import { findDataFiles, holdConversations, prepareTokens, type TokenDataset } from '../data/index.js'
import { LmError } from '../errors.js'
import { LossProgram } from '../evaluation/loss-program.js'
import { endingTurns, LanguageModel } from '../language-model.js'
import { parameterCount } from '../memory.js'
import { languageModelingStep } from '../model/language-modeling-step.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { adapterParameters, addLora } from '../model/lora.js'
import { preset } from '../presets.js'
import { checkMemory } from './check-memory.js'
import { runFiles } from './run-folder.js'
import { runTokenizer } from './run-tokenizer.js'
import type { TrainEvent } from './train-events.js'
import type { TrainOptions } from './train-options.js'
import { defaultShare, isShare, modelConfig, resolveSettings, type TrainSettings } from './train-settings.js'
import type { TrainingRun } from './training-loop.js'
import { weightsDigest } from './weights-digest.js'

type Emit = (event: TrainEvent) => void

/** All that a run works with, ready for its first step. */
export interface PreparedRun
  extends Pick<TrainingRun, 'settings' | 'tokenizer' | 'template' | 'dataset' | 'model' | 'step' | 'validation'>,
    AsyncDisposable {
  readonly config: ModelConfig
}

/**
 * Reads what a run starts from, encodes its text, and compiles its step.
 * @param options.validates whether it will measure the held-out text
 * @throws LmError FILE_NOT_FOUND, DATA_EMPTY, HASH_MISMATCH, INVALID_OPTION, OUT_OF_MEMORY …; TensorError
 */
export async function prepareRun(
  out: string,
  options: TrainOptions,
  known: TrainSettings | undefined,
  emit: Emit,
  { validates = true } = {},
): Promise<PreparedRun> {
  const { signal, recompute = false } = options
  const data = known?.data ?? options.data.map((path) => resolve(path))
  const from = known ? known.from : (options.from ?? null)
  const origin = from === null ? undefined : await LanguageModel.load(from)
  const base = origin ? weightsDigest(origin) : null
  if (known && known.base !== null && base !== known.base)
    throw new LmError('HASH_MISMATCH', `The model in ${from} is not the one this run began with. Put that one back.`)
  const tokenizer = origin?.tokenizer ?? (await runTokenizer(out, options, known, data, emit))

  const talks = await holdConversations(await findDataFiles(data), signal)
  const sft = known?.sft ?? options.sft ?? talks
  if (talks && sft && options.sft === undefined) emit({ type: 'phase', phase: 'tokens', message: onlyAnswers })
  const template = origin?.chatTemplate ?? (talks ? new ChatTemplate(chatMl, tokenizer) : null)
  emit({ type: 'phase', phase: 'tokens', message: `Encoding ${data.join(', ')}` })
  const asked = options.valid === undefined || isShare(options.valid) ? options.valid : resolve(options.valid)
  const valid = known ? known.valid : (asked ?? (await defaultShare(data)))
  const { dataset, warnings } = await prepareTokens({
    files: data,
    tokenizer,
    folder: runFiles.tokens(out),
    template: origin?.chatTemplate ?? null,
    answersOnly: sft,
    ...(valid !== null && { validation: isShare(valid) ? Number(valid) : valid }),
    ...(signal && { signal }),
  })
  const opened: (() => unknown)[] = [() => dataset.close()]
  const close = async () => {
    for (const release of opened.splice(0).reverse()) await release()
  }
  try {
    for (const message of warnings) emit({ type: 'warning', message })
    const settings = resolveSettings(options, known, { data, valid, tokens: dataset.train.tokens, origin, sft, base })
    const { batch, sequence, dropout, seed, lora } = settings
    const shape = origin ? createConfig({ ...origin.config, context: sequence, dropout }) : modelConfig(settings, tokenizer)
    const config = endingTurns(shape, template)
    if (
      !known &&
      !origin &&
      options.sequence === undefined &&
      sequence < 256 &&
      sequence < preset(settings.size ?? 'tiny').context
    )
      emit({
        type: 'warning',
        message: `The text has only ${dataset.train.tokens} tokens: sequences are ${sequence} tokens long.`,
      })
    checkMemory(config, { batch, sequence, recompute, adapters: lora ? adapterParameters(config, lora) : 0 })
    const model = new LlamaForCausalLM(config, { seed: origin ? null : seed, recompute })
    if (origin) model.loadStateDict(origin.weights)
    if (lora) addLora(model, lora, seed)

    emit({ type: 'phase', phase: 'compile', message: compiling(model, config) })
    const step = await compileStep(model, settings, options)
    opened.push(() => step.close())
    const validation = validates ? await compileValidation(model, dataset, settings, options, emit) : undefined
    if (validation) opened.push(() => validation.close())
    else if (validates && settings.patience !== null)
      throw new LmError('INVALID_OPTION', 'Early stopping (patience) needs text held out for validation: give --valid.')
    return { settings, tokenizer, template, dataset, config, model, step, validation, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

const onlyAnswers = 'The data hold conversations: of these only the answers are learned (--no-sft learns every word)'

function compiling(model: LlamaForCausalLM, config: ModelConfig): string {
  const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad)
  const count = trained.reduce((sum, { size }) => sum + size, 0)
  const all = parameterCount(config)
  const what = count === all ? `${all} parameters` : `${count} parameters, beside ${all} that stay as they are`
  return `Compiling the training step of ${what}`
}

function compileStep(model: LlamaForCausalLM, settings: TrainSettings, { spin = false, device = 'cpu' }: TrainOptions) {
  const { batch, sequence, accumulate, clipNorm, seed, threads } = settings
  const optimizer = optimizers[settings.optimizer](model, settings)
  return languageModelingStep(model, { optimizer, batch, length: sequence, accumulate, clipNorm, seed, threads, spin, device })
}

type MakeOptimizer = (model: LlamaForCausalLM, settings: TrainSettings) => Parameters<typeof languageModelingStep>[1]['optimizer']

const adamw = ({ learningRate: lr, weightDecay }: TrainSettings) => ({ lr, betas: [0.9, 0.95] as const, weightDecay })

const optimizers: Readonly<Record<TrainSettings['optimizer'], MakeOptimizer>> = {
  adamw: (_, settings) => optim.adamw(adamw(settings)),
  /** Hidden matrices; what remains goes to AdamW, at the same rate. */
  muon: (model, settings) =>
    optim.muonWithAdamW(model, {
      muon: { lr: settings.learningRate, weightDecay: settings.weightDecay },
      adamw: adamw(settings),
      head: model.lm_head ?? null,
    }),
}

async function compileValidation(
  model: LlamaForCausalLM,
  dataset: TokenDataset,
  { batch, sequence, threads, valid, sft }: TrainSettings,
  { spin = false, device = 'cpu' }: TrainOptions,
  emit: Emit,
): Promise<LossProgram | undefined> {
  const { tokens = 0, bytes = 0 } = dataset.validation ?? {}
  if (sft ? bytes > 0 : tokens > sequence) return LossProgram.compile(model, { batch, length: sequence, threads, spin, device })
  const why = sft ? 'no answers are held out' : `${tokens} tokens are held out, and one window needs ${sequence + 1}`
  if (valid !== null) emit({ type: 'warning', message: `No validation: ${why}.` })
  return undefined
}
