import { LmError } from '../errors.js'
import type { BeamOptions } from './beam-search.js'
import type { JsonSchema } from './constraint/json-schema.js'
import type { TokenLogprob } from './sampling/log-probabilities.js'
import type { SamplingOptions } from './sampling/sampling-options.js'

/** What to do with a prompt that leaves no room in the model's context. */
export type Truncation = 'never' | 'oldest' | 'middle'

/** What an answer must be: any text, any JSON object, or JSON that is valid under a schema. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: JsonSchema }

export interface GenerationOptions extends SamplingOptions {
  /** Longest answer in tokens. Default 256, or what the context has left if that is less. */
  readonly maxTokens?: number
  /** The text ends before the first of these; they may span tokens. */
  readonly stop?: readonly string[]
  /** Ends the text at once; the result so far has finishReason 'abort'. */
  readonly signal?: AbortSignal
  /** `false` recomputes the whole text for every token, without a cache and with the training program: to check the cache. */
  readonly cache?: boolean
  /** Also give the log probability of every new token, under the model itself. Default false. */
  readonly logprobs?: boolean
  /** And of this many likeliest tokens at each place, 0 to 20; implies `logprobs`. Default 0. */
  readonly topLogprobs?: number
  /**
   * A prompt that is longer than the context is an error ('never', the default), loses its beginning ('oldest') or its middle
   * ('middle': a beginning with instructions stays); the result says how many tokens were dropped. Room is left for `maxTokens`, but at most half of the context.
   */
  readonly truncate?: Truncation
  /** JSON is complete within `maxTokens`, whatever the model: tokens after which it could not be valid are impossible. Goes without `stop`. Default text. */
  readonly responseFormat?: ResponseFormat
}

export interface GenerationResult {
  /** Only the new text. */
  readonly text: string
  /** New tokens. */
  readonly tokens: number
  /** Tokens of the prompt, those that were there already included. */
  readonly promptTokens: number
  /** Of them, those that the model had read for an earlier text that begins alike. */
  readonly cachedTokens: number
  /** Tokens of the prompt that were left out, as `truncate` allowed. */
  readonly droppedTokens: number
  /** New tokens over the time from the prompt's end to the last token. */
  readonly tokensPerSecond: number
  /** 'stop': the end token or a stop string; 'length': maxTokens or the context; 'abort': the signal. */
  readonly finishReason: 'stop' | 'length' | 'abort'
  /** The stop string that ended the text. */
  readonly stopString?: string
  /** One entry for each new token, the end token included, where they were asked for. */
  readonly logprobs?: { readonly content: readonly TokenLogprob[] }
}

export const defaultMaxTokens = 256
const mostTopLogprobs = 20
/** Each beam has a cache of its own. */
const mostBeams = 128

/** @throws LmError INVALID_OPTION naming the option, its range and the value */
export function checkGeneration({ maxTokens, topLogprobs, truncate, stop, responseFormat }: GenerationOptions): void {
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens > 0))
    throw new LmError('INVALID_OPTION', `maxTokens must be a positive whole number, got ${maxTokens}`)
  if (topLogprobs !== undefined && !(Number.isInteger(topLogprobs) && topLogprobs >= 0 && topLogprobs <= mostTopLogprobs))
    throw new LmError('INVALID_OPTION', `topLogprobs must be a whole number from 0 to ${mostTopLogprobs}, got ${topLogprobs}`)
  if (truncate !== undefined && !['never', 'oldest', 'middle'].includes(truncate))
    throw new LmError('INVALID_OPTION', `truncate must be never, oldest or middle, got ${truncate}`)
  if (stop?.length && responseFormat && responseFormat.type !== 'text')
    throw new LmError('INVALID_OPTION', 'stop would cut the JSON that responseFormat asks for; give only one of them')
}

/** The JSON schema of an answer; undefined for text. @throws LmError INVALID_OPTION */
export function schemaOf(format: ResponseFormat | null = null): JsonSchema | undefined {
  if (format === null) return undefined
  switch (format.type) {
    case 'text':
      return undefined
    case 'json_object':
      return { type: 'object' }
    case 'json_schema':
      return format.schema
    default:
      throw new LmError(
        'INVALID_OPTION',
        `responseFormat must have the type text, json_object or json_schema, got ${JSON.stringify(format)}`,
      )
  }
}

/**
 * A prompt that fits: the ids and how many were left out.
 * @param start the token that begins every text (kept), or null
 * @throws LmError INVALID_OPTION for what is no token id; CONTEXT_OVERFLOW with both lengths
 */
export function fitPrompt(
  prompt: readonly number[],
  start: number | null,
  context: number,
  { truncate = 'never', maxTokens = defaultMaxTokens }: GenerationOptions,
): { tokens: number[]; dropped: number } {
  const wrong = prompt.findIndex((id) => !(Number.isSafeInteger(id) && id >= 0))
  if (wrong >= 0)
    throw new LmError(
      'INVALID_OPTION',
      `The prompt must be text or token ids, got ${JSON.stringify(prompt[wrong])} at place ${wrong}`,
    )
  const begin = start === null ? [] : [start]
  const whole = [...begin, ...prompt]
  const keep = context - Math.min(maxTokens, Math.floor(context / 2)) - begin.length
  if (whole.length < context && (truncate === 'never' || prompt.length <= keep)) return { tokens: whole, dropped: 0 }
  if (truncate === 'never')
    throw new LmError(
      'CONTEXT_OVERFLOW',
      `The prompt has ${whole.length} tokens; the model's context is ${context}. Shorten the prompt, or allow it with truncate: 'oldest'.`,
    )
  const head = truncate === 'middle' ? Math.floor(keep / 2) : 0
  const tail = prompt.slice(prompt.length - (keep - head))
  return { tokens: [...begin, ...prompt.slice(0, head), ...tail], dropped: prompt.length - keep }
}

/** Stop strings, log probabilities and formats do not go with beams. */
export interface BeamGenerationOptions
  extends Omit<GenerationOptions, 'stop' | 'logprobs' | 'topLogprobs' | 'responseFormat'>,
    BeamOptions {
  /** How many of the texts found are given, at most `beams`. Default 1. */
  readonly n?: number
}

/** @throws LmError INVALID_OPTION naming the option, its range and the value */
export function checkBeams(options: BeamGenerationOptions): void {
  checkGeneration(options)
  const { beams, n = 1, lengthPenalty = 1 } = options
  if (!(Number.isInteger(beams) && beams > 0 && beams <= mostBeams))
    throw new LmError('INVALID_OPTION', `beams must be a whole number from 1 to ${mostBeams}, got ${beams}`)
  if (!(Number.isInteger(n) && n > 0 && n <= beams))
    throw new LmError('INVALID_OPTION', `n must be a whole number from 1 to beams (${beams}), got ${n}`)
  if (!Number.isFinite(lengthPenalty)) throw new LmError('INVALID_OPTION', `lengthPenalty must be a number, got ${lengthPenalty}`)
}
