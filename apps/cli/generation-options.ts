import type { GenerateOptions } from 'enigma'
import type { OptionSpec } from './command.js'
import { jsonObject, number, whole } from './parse.js'
import { type ModelOptions, quantizationOption } from './session.js'

/** Flags that are handed on as they are. */
const handedOn = [
  'maxTokens',
  'temperature',
  'topK',
  'topP',
  'minP',
  'typicalP',
  'repetitionPenalty',
  'presencePenalty',
  'frequencyPenalty',
  'logitBias',
  'seed',
  'stop',
] as const satisfies readonly (keyof GenerateOptions)[]

/** What `chat` and `run` share. */
export interface GenerationFlags extends ModelOptions, Readonly<Pick<GenerateOptions, (typeof handedOn)[number]>> {
  readonly cache: boolean
}

export const generationOptions: readonly OptionSpec[] = [
  { flags: '-m, --model <name>', text: 'name or folder of a model, or a GGUF file (default: the one that ships)', setting: true },
  { flags: '--size <preset>', text: 'the newest trained model of this preset' },
  quantizationOption,
  { flags: '-n, --max-tokens <n>', text: 'new tokens at most (default: 256)', parse: whole(1), setting: true },
  { flags: '-t, --temperature <n>', text: '0 is always the likeliest token (default: 0.8)', parse: number(0, 10), setting: true },
  { flags: '--top-k <n>', text: 'keep the k likeliest tokens, 0 keeps all (default: 50)', parse: whole(), setting: true },
  { flags: '--top-p <n>', text: 'keep the likeliest tokens up to this share (default: 0.9)', parse: number(0, 1), setting: true },
  {
    flags: '--min-p <n>',
    text: 'drop tokens below this share of the likeliest (default: 0)',
    parse: number(0, 1),
    setting: true,
  },
  {
    flags: '--typical-p <n>',
    text: 'keep tokens of about the expected surprise up to this share (default: 1, off)',
    parse: number(0, 1),
  },
  { flags: '--repetition-penalty <n>', text: '1 is off (default: 1.1)', parse: number(1), setting: true },
  { flags: '--presence-penalty <n>', text: 'lowers what has occurred, once (default: 0)', parse: number(-100, 100) },
  { flags: '--frequency-penalty <n>', text: 'lowers it each time (default: 0)', parse: number(-100, 100) },
  { flags: '--logit-bias <json>', text: `added to tokens, such as '{"17": -100}'`, parse: jsonObject },
  { flags: '-s, --seed <n>', text: 'same seed, same text', parse: whole() },
  { flags: '--stop <text>', text: 'end before this text; may be repeated', many: true },
  { flags: '--no-cache', text: 'compute every step from the start: slow, for checking' },
  { flags: '--threads <n>', text: 'threads to compute with (default: all cores)', parse: whole(1), setting: true },
  { flags: '--device <name>', text: 'where to compute (default: cpu)', choices: ['cpu', 'webgpu', 'cuda'], setting: true },
]

/** The generation module's options; what was not given is left to its defaults. */
export function generateOptions(flags: GenerationFlags): GenerateOptions {
  const given = handedOn.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]] as const)
  return { ...Object.fromEntries(given), ...(flags.cache ? {} : { cache: false }) }
}
