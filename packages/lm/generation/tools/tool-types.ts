import { LmError } from '../../errors.js'
import { assertions, isObject, type JsonSchema } from '../constraint/json-schema.js'
import type { CallFormat } from './call-format.js'

/** A function that the model may ask to be called, in OpenAI's shape. */
export interface Tool {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description?: string
    /** Schema of the arguments, an object; default: none. */
    readonly parameters?: JsonSchema
  }
}

/** 'auto' (default): the model decides; 'none': text; 'required': some call; or a call of the function named. */
export type ToolChoice =
  | 'auto'
  | 'none'
  | 'required'
  | { readonly type: 'function'; readonly function: { readonly name: string } }

export interface ToolCall {
  readonly id: string
  readonly type: 'function'
  /** `arguments` is JSON that is valid under the function's `parameters`. */
  readonly function: { readonly name: string; readonly arguments: string }
}

/** What was said, called and answered so far, in OpenAI's shape. */
export type ToolMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string | null; readonly tool_calls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly content: string; readonly tool_call_id: string }

/** The tools that a choice leaves. @throws LmError INVALID_OPTION for tools of the same or no proper name, and choices of none */
export function chosenTools(tools: readonly Tool[], choice: ToolChoice): readonly Tool[] {
  for (const tool of tools) checkTool(tool)
  const names = tools.map((tool) => tool.function.name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw invalid(`Two tools have the name ${twice}; names must differ`)
  if (choice === 'none') return []
  if (typeof choice === 'string' && choice !== 'auto' && choice !== 'required')
    throw invalid(`toolChoice must be auto, none, required or a function, got ${String(choice)}`)
  if (tools.length === 0 && choice !== 'auto') throw invalid('toolChoice asks for a call, but there are no tools')
  if (typeof choice === 'string') return tools
  const chosen = tools.filter((tool) => tool.function.name === choice.function.name)
  if (chosen.length > 0) return chosen
  throw invalid(`toolChoice names ${choice.function.name}; the tools are ${names.join(', ')}`)
}

/** Tools come as JSON from elsewhere. */
function checkTool(tool: unknown): asserts tool is Tool {
  const given = (value: unknown) => String(JSON.stringify(value)).slice(0, 200)
  if (!isObject(tool) || tool.type !== 'function' || !isObject(tool.function))
    throw invalid(`A tool must be {"type": "function", "function": {"name", "parameters"}}, got ${given(tool)}`)
  const { name, parameters = {} } = tool.function
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    throw invalid(`A tool's name must be 1 to 64 letters, digits, _ or -, got ${given(name)}`)
  if (!isObject(parameters) || (parameters.type ?? 'object') !== 'object')
    throw invalid(`The parameters of ${name} must be the schema of an object, got ${given(parameters)}`)
}

const invalid = (message: string) => new LmError('INVALID_OPTION', message)

/** The schema of a call: an object with the name of one of the tools and arguments for it, or a list of one. */
export function callSchema(
  tools: readonly Tool[],
  { argumentsKey, list }: Pick<CallFormat, 'argumentsKey' | 'list'>,
): JsonSchema {
  const anyOf = tools.map(({ function: { name } }, index) => ({
    type: 'object',
    properties: { name: { const: name }, [argumentsKey]: { $ref: `#/$defs/${index}` } },
    required: ['name', argumentsKey],
    additionalProperties: false,
  }))
  const $defs = definitionsOf(tools)
  return list ? { type: 'array', items: { anyOf }, minItems: 1, maxItems: 1, $defs } : { anyOf, $defs }
}

/** Each tool's parameters as a definition. Their own references, which begin at their own root, are led to where that stands now. */
function definitionsOf(tools: readonly Tool[]): Record<string, JsonSchema> {
  const none: JsonSchema = { type: 'object', properties: {}, additionalProperties: false }
  const schemaOf = ({ function: { parameters = none } }: Tool): JsonSchema =>
    isObject(parameters) && assertions(parameters).length === 0 ? { ...parameters, type: 'object' } : parameters
  return Object.fromEntries(tools.map((tool, index) => [index, moved(schemaOf(tool), `#/$defs/${index}`) as JsonSchema]))
}

function moved(value: unknown, root: string): unknown {
  if (Array.isArray(value)) return value.map((item) => moved(item, root))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => {
    const isReference = key === '$ref' && typeof inner === 'string' && inner.startsWith('#')
    return [key, isReference ? root + inner.slice(1) : moved(inner, root)] as const
  })
  return Object.fromEntries(entries)
}
