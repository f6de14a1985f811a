import { ChatTemplate, chatMl, type TemplateMessage } from '../../chat/chat-template.js'
import { LmError } from '../../errors.js'
import type { LanguageModel } from '../../language-model.js'
import { turnEnd, turnStart } from '../../tokenizer/index.js'
import { type CallFormat, callFormatOf, hermes } from './call-format.js'
import type { Tool, ToolCall, ToolMessage } from './tool-types.js'

export interface ToolPrompt {
  /** Tokens up to where the assistant speaks. */
  readonly tokens: readonly number[]
  /** How it writes a call. */
  readonly format: CallFormat
}

/**
 * A conversation with tools in the model's own way: by its chat template where that takes tools; else the tools stand in the system message, as Hermes and Qwen
 * models know them. A model without a template that has ChatML's tokens is asked in ChatML.
 * @throws LmError TOOLS_UNSUPPORTED when the model has neither; TEMPLATE_INVALID when the template refuses the conversation
 */
export function toolPrompt(model: LanguageModel, messages: readonly ToolMessage[], tools: readonly Tool[]): ToolPrompt {
  const template = templateOf(model)
  const format = callFormatOf(template)
  const opened = { addGenerationPrompt: true }
  if (!format) return { tokens: template.encode(described(messages, tools), opened), format: hermes }
  const offered = tools.length > 0 ? { ...opened, tools } : opened
  return { tokens: template.encode(messages.map(templated), offered), format }
}

function templateOf({ name, chatTemplate, tokenizer }: LanguageModel): ChatTemplate {
  if (chatTemplate) return chatTemplate
  if (tokenizer.tokenToId(turnStart) !== undefined && tokenizer.tokenToId(turnEnd) !== undefined)
    return new ChatTemplate(chatMl, tokenizer)
  throw new LmError(
    'TOOLS_UNSUPPORTED',
    `The model '${name}' has no chat template and no tokens for turns (${turnStart}, ${turnEnd}), so that it cannot be told of tools. Use one that was tuned for chat.`,
  )
}

/** Templates take arguments as an object. */
function templated(message: ToolMessage): TemplateMessage {
  if (message.role !== 'assistant') return message
  const calls = message.tool_calls?.map((call) => ({
    ...call,
    function: { ...call.function, arguments: parsedArguments(call) },
  }))
  return { role: 'assistant', content: message.content ?? '', ...(calls && { tool_calls: calls }) }
}

function parsedArguments({ function: { name, arguments: given } }: ToolCall): unknown {
  try {
    return JSON.parse(given)
  } catch (cause) {
    throw new LmError('INVALID_OPTION', `The arguments of the call of ${name} in the conversation are not JSON: ${given}`, {
      cause,
    })
  }
}

/** The same conversation for a template that knows neither tools nor their answers. */
function described(messages: readonly ToolMessage[], tools: readonly Tool[]): TemplateMessage[] {
  const [first, ...others] = messages
  const system = first?.role === 'system' ? first.content : ''
  const rest = first?.role === 'system' ? others : messages
  const head = [system, tools.length > 0 ? description(tools) : ''].filter(Boolean).join('\n\n')
  const turns = rest.map((message) => ({ role: message.role === 'tool' ? 'user' : message.role, content: contentOf(message) }))
  return head ? [{ role: 'system', content: head }, ...turns] : turns
}

function description(tools: readonly Tool[]): string {
  return [
    '# Tools',
    '',
    'You may call one of these functions:',
    '<tools>',
    ...tools.map((tool) => JSON.stringify(tool)),
    '</tools>',
    '',
    'To call one, answer with its name and arguments as JSON:',
    `${hermes.open}{"name": <function-name>, "arguments": <args-json-object>}${hermes.close}`,
  ].join('\n')
}

function contentOf(message: ToolMessage): string {
  if (message.role === 'tool') return `<tool_response>\n${message.content}\n</tool_response>`
  if (message.role !== 'assistant') return message.content
  return [message.content, ...(message.tool_calls ?? []).map(written)].filter(Boolean).join('\n')
}

function written({ function: { name, arguments: given } }: ToolCall): string {
  return `${hermes.open}{"name": ${JSON.stringify(name)}, "arguments": ${given}}${hermes.close}`
}
