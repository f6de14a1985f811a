import { readFile } from 'node:fs/promises'
import type { GenerateOptions, ToolRequest } from 'enigma'
import type { OptionSpec } from './command.js'
import { CliError } from './errors.js'
import { number, whole } from './parse.js'

/** What an answer of `run` is to be: how many, in which form, with what told about it. */
export interface AnswerFlags {
  readonly choices?: number
  readonly beams?: number
  readonly lengthPenalty?: number
  readonly logprobs?: number
  readonly truncate?: 'oldest' | 'middle'
  readonly jsonObject?: boolean
  readonly jsonSchema?: string
  readonly tools?: string
  readonly toolChoice?: string
}

export const answerFlags: readonly OptionSpec[] = [
  { flags: '--choices <n>', text: 'so many texts, each with a seed of its own; with --beams, the best so many', parse: whole(1) },
  { flags: '--beams <n>', text: 'the likeliest text that a search over so many finds', parse: whole(1) },
  { flags: '--length-penalty <n>', text: 'of beams: above 0 favours long texts (default: 1)', parse: number(-100, 100) },
  { flags: '--logprobs <n>', text: 'with --json: log probabilities of each token and n alternatives', parse: whole() },
  { flags: '--truncate <end>', text: 'shorten a prompt that is too long (default: an error)', choices: ['oldest', 'middle'] },
  { flags: '--json-object', text: 'the answer is a JSON object' },
  { flags: '--json-schema <file>', text: 'the answer is JSON that is valid under this JSON schema' },
  { flags: '--tools <file>', text: "functions that may be called, a JSON list in OpenAI's shape" },
  { flags: '--tool-choice <name>', text: 'auto, none, required, or the function to call (default: auto)' },
]

export async function answerOptions(flags: AnswerFlags): Promise<GenerateOptions> {
  const { logprobs, truncate, jsonObject, jsonSchema } = flags
  if (jsonObject && jsonSchema !== undefined) throw new CliError('USAGE', 'Choose one of --json-object and --json-schema.')
  return {
    ...(logprobs !== undefined && { logprobs: true, topLogprobs: logprobs }),
    ...(truncate !== undefined && { truncate }),
    ...(jsonObject && { responseFormat: { type: 'json_object' } }),
    ...(jsonSchema !== undefined && { responseFormat: { type: 'json_schema', schema: (await readJson(jsonSchema)) as object } }),
  } as GenerateOptions
}

export async function toolsOf({
  tools,
  toolChoice,
}: AnswerFlags): Promise<Pick<ToolRequest, 'tools' | 'toolChoice'> | undefined> {
  if (tools === undefined) return undefined
  const list = await readJson(tools)
  if (!Array.isArray(list)) throw new CliError('BAD_SETTING', `${tools} must hold a JSON list of functions`)
  const choice = toolChoice ?? 'auto'
  const named = choice === 'auto' || choice === 'none' || choice === 'required'
  return { tools: list, toolChoice: named ? choice : { type: 'function', function: { name: choice } } }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CliError('BAD_SETTING', `${file} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
