import { randomUUID } from 'node:crypto'
import { turnEnd, turnStart } from '../../tokenizer/index.js'
import type { GenerationOptions, GenerationResult } from '../generation-options.js'
import type { TextGenerator } from '../text-generator.js'
import type { CallFormat } from './call-format.js'
import { toolPrompt } from './tool-prompt.js'
import { callSchema, chosenTools, type Tool, type ToolCall, type ToolChoice, type ToolMessage } from './tool-types.js'

/** A call is JSON of the tools' schema, so that it has no stop strings and no format of its own. */
export interface ToolChatOptions extends Omit<GenerationOptions, 'responseFormat'> {
  readonly tools: readonly Tool[]
  readonly toolChoice?: ToolChoice
}

export interface ToolAnswer extends Omit<GenerationResult, 'text' | 'finishReason'> {
  /** What the assistant says; null when it only calls. */
  readonly content: string | null
  readonly toolCalls: readonly ToolCall[]
  readonly finishReason: GenerationResult['finishReason'] | 'tool_calls'
}

/**
 * Answers a conversation with text or with the call of a tool. A call is valid under the tool's `parameters`, whatever the model: where it
 * begins, the schema takes over.
 * @throws LmError TOOLS_UNSUPPORTED when the model has no chat turns; INVALID_OPTION, CONTEXT_OVERFLOW, BUDGET_TOO_SMALL, SCHEMA_UNSUPPORTED …
 */
export async function chatWithTools(
  generator: TextGenerator,
  messages: readonly ToolMessage[],
  { tools, toolChoice = 'auto', ...options }: ToolChatOptions,
): Promise<ToolAnswer> {
  const { model } = generator
  const callable = chosenTools(tools, toolChoice)
  const { tokens: prompt, format } = toolPrompt(model, messages, callable)
  const mustCall = callable.length > 0 && toolChoice !== 'auto'
  const said = mustCall ? undefined : await generator.complete(prompt, withStops(options, callable, format))
  if (said && (callable.length === 0 || said.stopString !== format.mark)) {
    const { text, ...answer } = said
    return { ...answer, content: text, toolCalls: [] }
  }
  const content = said?.text.trim() ?? ''
  const begun = model.tokenizer.encode(content === '' ? '' : `${content}\n`)
  const opening = model.tokenizer.encode(format.open, { special: true })
  const { stop: _, ...free } = options
  const { text: call, ...called } = await generator.complete([...prompt, ...begun, ...opening], {
    ...free,
    ...(options.maxTokens !== undefined && { maxTokens: Math.max(1, options.maxTokens - (said?.tokens ?? 0)) }),
    responseFormat: { type: 'json_schema', schema: callSchema(callable, format) },
  })
  const tokens = (said?.tokens ?? 0) + called.tokens
  const answer = { ...called, tokens, content: content === '' ? null : content }
  if (called.finishReason === 'abort') return { ...answer, toolCalls: [] }
  return { ...answer, toolCalls: [readCall(call, format)], finishReason: 'tool_calls' }
}

function readCall(text: string, { list, argumentsKey }: CallFormat): ToolCall {
  const value: unknown = JSON.parse(text)
  const call = (list ? (value as unknown[])[0] : value) as { readonly name: string; readonly [key: string]: unknown }
  return {
    id: `call_${randomUUID().replaceAll('-', '')}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call[argumentsKey]) },
  }
}

/** The text ends where a call or another turn begins, also in models whose end token is another. */
function withStops(options: GenerationOptions, callable: readonly Tool[], { mark }: CallFormat): GenerationOptions {
  return { ...options, stop: [...(options.stop ?? []), turnStart, turnEnd, ...(callable.length > 0 ? [mark] : [])] }
}
