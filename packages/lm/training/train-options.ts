import { optim } from '@enigma/nn'
import type { Device } from '@enigma/tensor'
import { LmError } from '../errors.js'
import { type LoraOptions, loraConfig, parseLora } from '../model/lora.js'
import type { PresetName } from '../presets.js'

export type ScheduleName = optim.ScheduleName

/** `muon`: Muon for the matrices of the hidden layers, AdamW for the rest. */
export const optimizerNames = ['adamw', 'muon'] as const
export type OptimizerName = (typeof optimizerNames)[number]

/** What a training run can be told. Everything but `data` and `out` has a default. */
export interface TrainOptions {
  /** Text or JSONL files, folders or globs. */
  readonly data: readonly string[]
  /** The model folder to make. */
  readonly out: string
  /** Default 'tiny'. */
  readonly size?: PresetName
  /** Updates. Default: what `epochs` makes, or one epoch. */
  readonly steps?: number
  readonly epochs?: number
  /** Default 2048 under 4 MB of text, else 4096. */
  readonly vocabSize?: number
  /** A `tokenizer.json` to use instead of training one, or `char`: every character of the text is a token. */
  readonly tokenizer?: string
  /** A model folder to start from: its shape, weights and tokenizer. `sequence` may give it another context. */
  readonly from?: string
  /** Of conversations, learn and validate only what the assistant says. Default: whether the data hold conversations. */
  readonly sft?: boolean
  /**
   * Train only a LoRA adapter on the model of `from`, in words (`r=8,alpha=16,targets=q_proj,v_proj`) or as an object. The adapter is left in
   * `adapter/` of `out`, in PEFT's layout, and merged into `out`'s weights.
   */
  readonly lora?: string | LoraOptions
  /** Sequences per batch. Default 8. */
  readonly batch?: number
  /** Tokens per sequence, which becomes the model's context. Default: the preset's context, at most 256; with `from`, that model's. */
  readonly sequence?: number
  /** Peak learning rate. Default 1e-3. */
  readonly learningRate?: number
  /** Default 'adamw'. */
  readonly optimizer?: OptimizerName
  /** Default 'cosine'. */
  readonly schedule?: ScheduleName
  /** Steps of warm-up. Default a tenth of the run, at most 100. */
  readonly warmup?: number
  /** Default 0.1. */
  readonly weightDecay?: number
  /** Default 1. */
  readonly clipNorm?: number
  /** Batches per update. Default 1. */
  readonly accumulate?: number
  /** Default 0: the seed presets' 0.1 costs quality in runs of few epochs. */
  readonly dropout?: number
  /** Default 1. */
  readonly seed?: number
  /** A file, or the share of the text to hold out for validation. Default '0.02' from 200 KB of text on, else nothing. */
  readonly valid?: string
  /** Steps between reports, the first of which is of the first step. Default 10. */
  readonly reportEvery?: number
  /** Steps between validations. Default: 10 over the run. */
  readonly validateEvery?: number
  /** End the run after so many validations without a lower loss, and keep the weights of the best one. Default: never. */
  readonly patience?: number
  /** Steps between samples; 0: none. Default: with each validation. */
  readonly sampleEvery?: number
  /** Steps between checkpoints. Default 250. */
  readonly checkpointEvery?: number
  /** Precision of the final `model.safetensors`. Default 'f32'. */
  readonly dtype?: 'f32' | 'f16'
  readonly threads?: number
  /** Native threads wait by spinning: a little faster on an idle machine, far slower on a busy one. Default false. */
  readonly spin?: boolean
  /** Where it is computed: `cpu` (default), `webgpu` or `cuda`, if this build of ONNX Runtime and this machine have it. */
  readonly device?: Device
  /**
   * Keep only what enters each block, and compute the rest again for the gradient: far less memory for one more forward pass a
   * step, and the same weights. Default false.
   */
  readonly recompute?: boolean
  /** Continue the run in `out` with the settings it was started with; `steps`, `learningRate`, `patience` and `threads` may be changed. */
  readonly resume?: boolean
  /** With `resume`: where the last checkpoint is damaged, go on from the newest sound one. Default: refuse, naming both. */
  readonly fallback?: boolean
  /** Replace what `out` holds. */
  readonly force?: boolean
  /** Text of the model card (README.md of the folder). */
  readonly card?: string
  /** Stops the run: a checkpoint is left, and `resume` continues it. */
  readonly signal?: AbortSignal
}

interface Range {
  readonly name: keyof TrainOptions
  readonly holds: (value: number) => boolean
  readonly must: string
}

const natural = (value: number) => Number.isSafeInteger(value) && value > 0
const count = (value: number) => Number.isSafeInteger(value) && value >= 0

const ranges: readonly Range[] = [
  ...(
    [
      'steps',
      'vocabSize',
      'batch',
      'sequence',
      'accumulate',
      'reportEvery',
      'validateEvery',
      'checkpointEvery',
      'patience',
      'threads',
    ] as const
  ).map((name) => ({ name, holds: natural, must: 'be a positive whole number' })),
  { name: 'epochs', holds: (v) => v > 0, must: 'be positive' },
  { name: 'warmup', holds: count, must: 'be a whole number of steps' },
  { name: 'sampleEvery', holds: count, must: 'be a whole number of steps' },
  { name: 'seed', holds: count, must: 'be a whole number' },
  { name: 'learningRate', holds: (v) => v > 0 && v <= 1, must: 'be above 0 and at most 1' },
  { name: 'weightDecay', holds: (v) => v >= 0 && v < 10, must: 'be between 0 and 10' },
  { name: 'clipNorm', holds: (v) => v > 0, must: 'be positive' },
  { name: 'dropout', holds: (v) => v >= 0 && v < 1, must: 'be at least 0 and less than 1' },
]

/** @throws LmError INVALID_OPTION naming the option, its range and the value */
export function checkTrainOptions(options: TrainOptions): void {
  for (const { name, holds, must } of ranges) {
    const value = options[name]
    if (value !== undefined && !(typeof value === 'number' && holds(value)))
      throw new LmError('INVALID_OPTION', `${name} must ${must}, got ${value}`)
  }
  if (options.schedule !== undefined && !(options.schedule in optim.schedules))
    throw new LmError(
      'INVALID_OPTION',
      `Unknown schedule: ${options.schedule}. Available: ${Object.keys(optim.schedules).join(', ')}`,
    )
  if (options.optimizer !== undefined && !optimizerNames.includes(options.optimizer))
    throw new LmError('INVALID_OPTION', `Unknown optimizer: ${options.optimizer}. Available: ${optimizerNames.join(', ')}`)
  if (options.lora !== undefined) {
    loraOf(options.lora)
    if (options.from === undefined && !options.resume)
      throw new LmError('INVALID_OPTION', 'LoRA adapts a model that is there: name it with --from.')
  }
  if (options.steps !== undefined && options.epochs !== undefined)
    throw new LmError('INVALID_OPTION', 'Give steps or epochs, not both.')
  const fixedBy = (['size', 'vocabSize', 'tokenizer'] as const).filter((name) => options[name] !== undefined)
  if (options.from !== undefined && fixedBy.length > 0)
    throw new LmError(
      'INVALID_OPTION',
      `The model to start from fixes ${fixedBy.join(' and ')}: leave ${fixedBy.length > 1 ? 'them' : 'it'} out.`,
    )
}

/** The LoRA settings of an option. @throws LmError INVALID_OPTION */
export function loraOf(option: string | LoraOptions) {
  return typeof option === 'string' ? parseLora(option) : loraConfig(option)
}
