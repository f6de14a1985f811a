import { LmError } from '../../errors.js'
import { type Tokenizer, turnEnd, turnStart } from '../../tokenizer/index.js'
import type { Tool, ToolCall, ToolMessage } from './tool-types.js'

/** What stands around a call in the text of models that were tuned for tools in ChatML (Hermes, Qwen). */
export const callStart = '<tool_call>'
const callEnd = '</tool_call>'

/**
 * The tokens of a conversation with tools, up to where the assistant speaks: ChatML turns; the tools stand in the system message, calls and answers within
 * `<tool_call>` and `<tool_response>`, as Hermes and Qwen models know them. What people wrote cannot make a turn.
 * @throws LmError TOOLS_UNSUPPORTED when the model has no tokens for turns
 */
export function toolPrompt(
  tokenizer: Tokenizer,
  model: string,
  messages: readonly ToolMessage[],
  tools: readonly Tool[],
): number[] {
  const [start, end] = [tokenizer.tokenToId(turnStart), tokenizer.tokenToId(turnEnd)]
  if (start === undefined || end === undefined)
    throw new LmError(
      'TOOLS_UNSUPPORTED',
      `The model '${model}' has no chat turns (tokens ${turnStart} and ${turnEnd}), so that it cannot be told of tools. Use one that was tuned for chat in ChatML.`,
    )
  const turn = (role: string, content: string) => [
    start,
    ...tokenizer.encode(`${role}\n${content}`),
    end,
    ...tokenizer.encode('\n'),
  ]
  const [first, ...others] = messages
  const system = first?.role === 'system' ? first.content : ''
  const rest = first?.role === 'system' ? others : messages
  const head = [system, tools.length > 0 ? describeTools(tools) : ''].filter(Boolean).join('\n\n')
  return [
    ...(head ? turn('system', head) : []),
    ...rest.flatMap((message) => turn(message.role === 'tool' ? 'user' : message.role, contentOf(message))),
    start,
    ...tokenizer.encode('assistant\n'),
  ]
}

function describeTools(tools: readonly Tool[]): string {
  return [
    '# Tools',
    '',
    'You may call one of these functions:',
    '<tools>',
    ...tools.map((tool) => JSON.stringify(tool)),
    '</tools>',
    '',
    `To call one, answer with its name and arguments as JSON within ${callStart}${callEnd}:`,
    `${callStart}\n{"name": <function-name>, "arguments": <args-json-object>}\n${callEnd}`,
  ].join('\n')
}

function contentOf(message: ToolMessage): string {
  if (message.role === 'tool') return `<tool_response>\n${message.content}\n</tool_response>`
  if (message.role !== 'assistant') return message.content
  return [message.content, ...(message.tool_calls ?? []).map(written)].filter(Boolean).join('\n')
}

function written({ function: { name, arguments: given } }: ToolCall): string {
  return `${callStart}\n{"name": ${JSON.stringify(name)}, "arguments": ${given}}\n${callEnd}`
}
