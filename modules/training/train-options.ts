import type { TrainingOptions } from '@enigma/contracts'
import { LmError, preset, type TrainOptions } from '@enigma/lm'
import { TrainingError } from './errors.js'
import type { TrainingModuleConfig } from './types.js'

type Plain =
  | 'data'
  | 'out'
  | 'size'
  | 'steps'
  | 'epochs'
  | 'learningRate'
  | 'batch'
  | 'vocabSize'
  | 'seed'
  | 'resume'
  | 'valid'
  | 'signal'
type Setting = Exclude<keyof TrainOptions, Plain>

// The trainer's further settings and what each is; the type makes the table complete.
const settings: Readonly<Record<Setting, 'number' | 'string' | 'boolean' | 'string or object'>> = {
  from: 'string',
  tokenizer: 'string',
  sft: 'boolean',
  lora: 'string or object',
  sequence: 'number',
  optimizer: 'string',
  schedule: 'string',
  warmup: 'number',
  weightDecay: 'number',
  clipNorm: 'number',
  accumulate: 'number',
  dropout: 'number',
  reportEvery: 'number',
  validateEvery: 'number',
  patience: 'number',
  sampleEvery: 'number',
  checkpointEvery: 'number',
  dtype: 'string',
  threads: 'number',
  device: 'string',
  spin: 'boolean',
  recompute: 'boolean',
  fallback: 'boolean',
  force: 'boolean',
  card: 'string',
}

/**
 * The trainer's options for a job: what the job asks for over the module's defaults. A resumed run keeps its own settings,
 * so the defaults are not put over them.
 * @throws TrainingError `UNKNOWN_SETTING`; LmError `UNKNOWN_PRESET`, `INVALID_OPTION`
 */
export function trainOptions(job: TrainingOptions, config: TrainingModuleConfig): Omit<TrainOptions, 'signal'> {
  const { data, out, size, settings: further = {}, signal: _, ...plain } = job
  for (const [name, value] of Object.entries(further)) checkSetting(name, value)
  const given = { ...defined(further), ...defined({ ...plain, size: size === undefined ? undefined : preset(size).name }) }
  return { ...defaults(job, config), ...given, data, out }
}

function defaults(job: TrainingOptions, { threads, device, learningRate, batch, accumulate, epochs }: TrainingModuleConfig) {
  if (job.resume) return defined({ threads, device })
  const own = job.steps === undefined && job.epochs === undefined ? { epochs } : {}
  return defined({ threads, device, learningRate, batch, accumulate, ...own })
}

function checkSetting(name: string, value: unknown): void {
  if (!Object.hasOwn(settings, name)) {
    const known = Object.keys(settings).join(', ')
    throw new TrainingError('UNKNOWN_SETTING', `The trainer has no setting '${name}'. It has: ${known}.`)
  }
  const type = settings[name as Setting]
  if (value !== undefined && !type.split(' or ').includes(typeof value))
    throw new LmError('INVALID_OPTION', `${name} must be a ${type}, got ${value}`)
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>
}
