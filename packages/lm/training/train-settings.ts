import { availableParallelism } from 'node:os'
import { optim } from '@enigma/nn'
import type { ModelConfig } from '../config.js'
import { findDataFiles } from '../data/index.js'
import { LmError } from '../errors.js'
import { isObject } from '../formats/config-fields.js'
import type { LanguageModel } from '../language-model.js'
import { type LoraConfig, loraConfig } from '../model/lora.js'
import { type PresetName, preset, presetConfig, presetOf } from '../presets.js'
import type { Tokenizer } from '../tokenizer/index.js'
import { loraOf, type OptimizerName, optimizerNames, type TrainOptions } from './train-options.js'

/** The settings that decide what is computed: kept with the checkpoints, so that a resumed run computes the same. */
export interface TrainSettings {
  readonly data: readonly string[]
  /** Null where a model of no preset is trained on. */
  readonly size: PresetName | null
  readonly from: string | null
  /** SHA-256 of the weights it starts from. */
  readonly base: string | null
  readonly sft: boolean
  readonly lora: LoraConfig | null
  readonly optimizer: OptimizerName
  readonly steps: number
  readonly vocabSize: number | null
  readonly batch: number
  readonly sequence: number
  readonly learningRate: number
  readonly schedule: optim.ScheduleName
  readonly warmup: number
  readonly weightDecay: number
  readonly clipNorm: number
  readonly accumulate: number
  readonly dropout: number
  readonly seed: number
  readonly valid: string | null
  readonly patience: number | null
  readonly dtype: 'f32' | 'f16'
  /** Recorded: results are bit-equal at a fixed number of threads only. */
  readonly threads: number
}

/** Fewest steps a run takes by default, however small the text. */
const leastSteps = 500

/** What is held out when nothing is said: a fiftieth, if that is enough to measure anything. */
export async function defaultShare(data: readonly string[]): Promise<string | null> {
  const bytes = (await findDataFiles(data)).reduce((sum, file) => sum + file.bytes, 0)
  return bytes >= 200_000 ? '0.02' : null
}

export interface RunData {
  readonly data: readonly string[]
  readonly valid: string | null
  /** Of the training part. */
  readonly tokens: number
  readonly origin: LanguageModel | undefined
  readonly base: string | null
  readonly sft: boolean
}

/** The context, or what a text that is shorter can fill, in steps of 8 tokens. */
const fitting = (context: number, tokens: number) => (tokens > context ? context : Math.max(8, Math.floor((tokens - 1) / 8) * 8))

/** Sequences per batch and tokens per sequence. */
export function sizes({ batch = 8, sequence }: TrainOptions, context: number): { batch: number; sequence: number } {
  return { batch, sequence: sequence ?? context }
}

/** A run's settings: those it was started with, or the options and what follows from the data. */
export function resolveSettings(
  options: TrainOptions,
  known: TrainSettings | undefined,
  { data, valid, tokens, origin, base, sft }: RunData,
): TrainSettings {
  if (known)
    return {
      ...known,
      steps: options.steps ?? known.steps,
      learningRate: options.learningRate ?? known.learningRate,
      patience: options.patience ?? known.patience,
      threads: options.threads ?? known.threads,
    }
  const size = origin ? presetOf(origin.config) : (options.size ?? 'tiny')
  const context = origin ? origin.config.context : Math.min(256, preset(size ?? 'tiny').context)
  // Windows of conversations are filled up; those of running text are not.
  const { batch, sequence } = sizes(options, sft ? context : fitting(context, tokens))
  const accumulate = options.accumulate ?? 1
  const epoch = Math.max(1, Math.floor(tokens / (batch * sequence * accumulate)))
  const steps =
    options.steps ??
    (options.epochs === undefined ? Math.max(leastSteps, epoch) : Math.max(1, Math.round(options.epochs * epoch)))
  return {
    data,
    size,
    from: origin ? origin.folder : null,
    base,
    sft,
    lora: options.lora === undefined ? null : loraOf(options.lora),
    optimizer: options.optimizer ?? 'adamw',
    steps,
    vocabSize: options.vocabSize ?? null,
    batch,
    sequence,
    learningRate: options.learningRate ?? 1e-3,
    schedule: options.schedule ?? 'cosine',
    warmup: options.warmup ?? Math.min(100, Math.ceil(steps / 10)),
    weightDecay: options.weightDecay ?? 0.1,
    clipNorm: options.clipNorm ?? 1,
    accumulate,
    dropout: options.dropout ?? 0,
    seed: options.seed ?? 1,
    valid,
    patience: options.patience ?? null,
    dtype: options.dtype ?? 'f32',
    threads: options.threads ?? availableParallelism(),
  }
}

/** The shape of a model that is trained from scratch. */
export function modelConfig({ size, sequence, dropout }: TrainSettings, tokenizer: Tokenizer): ModelConfig {
  const end = tokenizer.eosId
  return presetConfig(size ?? 'tiny', tokenizer.vocabSize, {
    context: sequence,
    dropout,
    ...(tokenizer.bosId !== undefined && { bosId: tokenizer.bosId }),
    ...(end !== undefined && { eosIds: [end] }),
  })
}

/** Whether a validation setting is a share (`'0.02'`) and not a file. */
export const isShare = (valid: string): boolean => valid.trim() !== '' && !Number.isNaN(Number(valid))

const kinds: Readonly<Record<keyof TrainSettings, (value: unknown) => boolean>> = {
  data: (value) => Array.isArray(value) && value.every((path) => typeof path === 'string'),
  size: (value) => value === null || typeof value === 'string',
  from: (value) => value === null || typeof value === 'string',
  base: (value) => value === null || typeof value === 'string',
  sft: (value) => typeof value === 'boolean',
  lora: isLora,
  optimizer: (value) => optimizerNames.some((name) => name === value),
  steps: Number.isSafeInteger,
  vocabSize: (value) => value === null || Number.isSafeInteger(value),
  batch: Number.isSafeInteger,
  sequence: Number.isSafeInteger,
  learningRate: Number.isFinite,
  schedule: (value) => typeof value === 'string' && value in optim.schedules,
  warmup: Number.isFinite,
  weightDecay: Number.isFinite,
  clipNorm: Number.isFinite,
  accumulate: Number.isSafeInteger,
  dropout: Number.isFinite,
  seed: Number.isFinite,
  valid: (value) => value === null || typeof value === 'string',
  patience: (value) => value === null || Number.isSafeInteger(value),
  dtype: (value) => value === 'f32' || value === 'f16',
  threads: Number.isSafeInteger,
}

function isLora(value: unknown): boolean {
  if (value === null) return true
  try {
    return isObject(value) && loraConfig(value as Partial<LoraConfig>).rank === value.rank
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

/** What runs were like before these settings came. */
const former = { base: null, sft: false, lora: null, optimizer: 'adamw', patience: null }

/** @throws Error naming the first setting that is missing or of the wrong kind */
export function parseSettings(value: unknown): TrainSettings {
  const fields: Partial<Record<keyof TrainSettings, unknown>> = { ...former, ...(isObject(value) ? value : {}) }
  const wrong = (Object.keys(kinds) as (keyof TrainSettings)[]).find((name) => !kinds[name](fields[name]))
  if (wrong) throw new Error(`'${wrong}' is ${JSON.stringify(fields[wrong])}`)
  return fields as TrainSettings
}

const fixed = [
  'size',
  'sft',
  'optimizer',
  'vocabSize',
  'batch',
  'sequence',
  'schedule',
  'warmup',
  'weightDecay',
  'clipNorm',
  'accumulate',
  'dropout',
  'seed',
  'dtype',
] as const

/** A resumed run keeps its settings; only steps, learning rate, patience and threads may change. @throws LmError INVALID_OPTION by name */
export function checkResumed(options: TrainOptions, known: TrainSettings): void {
  const changed =
    fixed.find((name) => options[name] !== undefined && options[name] !== known[name]) ??
    (options.lora !== undefined && JSON.stringify(loraOf(options.lora)) !== JSON.stringify(known.lora) ? 'lora' : undefined)
  if (changed)
    throw new LmError(
      'INVALID_OPTION',
      `This run has ${changed} ${shown(known[changed])}, and a resumed run keeps it. Leave it out, or start anew with --force.`,
    )
}

const shown = (setting: unknown) => (isObject(setting) ? JSON.stringify(setting) : String(setting))
