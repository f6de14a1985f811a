import type { GenerateOptions } from '@enigma/contracts'
import { EngineError } from '../engine-error.js'

type Option = Exclude<keyof GenerateOptions, 'signal'>
export type Endpoint = 'chat' | 'text'

interface Field {
  readonly option: Option
  /** Its name in a request; left out where no server takes it. */
  readonly field?: string
  /** Where it is taken; default both. */
  readonly only?: Endpoint
  /** Beyond OpenAI's own interface: sent to servers that are said to know it. */
  readonly extension?: true
  /** The value that changes nothing, which every server honours. */
  readonly neutral?: unknown
}

/** Options of a request, as OpenAI names them and as llama.cpp, vLLM and Ollama name what they add. */
const fields: readonly Field[] = [
  { option: 'maxTokens', field: 'max_tokens' },
  { option: 'temperature', field: 'temperature' },
  { option: 'topP', field: 'top_p' },
  { option: 'presencePenalty', field: 'presence_penalty' },
  { option: 'frequencyPenalty', field: 'frequency_penalty' },
  { option: 'logitBias', field: 'logit_bias' },
  { option: 'stop', field: 'stop' },
  { option: 'seed', field: 'seed' },
  { option: 'logprobs', field: 'logprobs', only: 'chat', neutral: false },
  { option: 'topLogprobs', field: 'top_logprobs', only: 'chat' },
  { option: 'topK', field: 'top_k', extension: true, neutral: 0 },
  { option: 'minP', field: 'min_p', extension: true, neutral: 0 },
  { option: 'typicalP', field: 'typical_p', extension: true, neutral: 1 },
  { option: 'repetitionPenalty', field: 'repetition_penalty', extension: true, neutral: 1 },
  { option: 'truncate', neutral: 'never' },
  { option: 'cache', neutral: true },
]

export interface FieldRules {
  readonly endpoint: Endpoint
  /** Whether the server knows more than OpenAI's own options. */
  readonly extensions: boolean
  /** What the limit of new tokens is called in chats: OpenAI's newer models refuse `max_tokens`. */
  readonly limit: 'max_tokens' | 'max_completion_tokens'
}

/**
 * The fields of a request for these options.
 * @throws EngineError UNSUPPORTED naming the option that the server would ignore; INVALID_OPTION
 */
export function requestFields(options: Omit<GenerateOptions, 'signal'>, rules: FieldRules): Record<string, unknown> {
  const { endpoint, extensions, limit } = rules
  const sent: Record<string, unknown> = {}
  for (const rule of fields) {
    const { option, field, only, extension, neutral } = rule
    const value = options[option]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const taken = field !== undefined && (only === undefined || only === endpoint) && (!extension || extensions)
    if (taken) sent[option === 'maxTokens' && endpoint === 'chat' ? limit : field] = value
    else if (value !== neutral) throw unsupported(rule, endpoint)
  }
  if (options.topLogprobs !== undefined) sent.logprobs = true
  return { ...sent, ...formatOf(options, endpoint) }
}

function unsupported({ option, field, extension, only }: Field, endpoint: Endpoint): EngineError {
  if (extension)
    return new EngineError(
      'UNSUPPORTED',
      `The option '${option}' is none of OpenAI's. Leave it out, or, if the server knows '${field}', set the module's extensions: true.`,
    )
  const where = only === undefined ? 'by a server' : `when a text is continued; ask in a ${only}`
  return new EngineError('UNSUPPORTED', `The option '${option}' cannot be honoured ${where} (${endpoint}). Leave it out.`)
}

function formatOf({ responseFormat, stop }: GenerateOptions, endpoint: Endpoint): Record<string, unknown> {
  if (responseFormat === undefined || responseFormat.type === 'text') return {}
  if (endpoint === 'text')
    throw new EngineError(
      'UNSUPPORTED',
      "The option 'responseFormat' cannot be honoured when a text is continued; ask in a chat.",
    )
  if (stop?.length)
    throw new EngineError('INVALID_OPTION', 'stop would cut the JSON that responseFormat asks for; give only one of them')
  if (responseFormat.type === 'json_object') return { response_format: { type: 'json_object' } }
  const { schema } = responseFormat
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } } }
}
