import type { ChatTemplate } from '../../chat/chat-template.js'

/** How a family of models writes the call of a tool in its text. */
export interface CallFormat {
  /** A part of its chat templates that gives it away. */
  readonly sign: string
  /** The text with which a call begins: where a model writes it, the schema takes over. */
  readonly mark: string
  /** What stands before the JSON of the call, the mark included, and after it. */
  readonly open: string
  readonly close: string
  /** Whether the JSON is a list of calls. */
  readonly list: boolean
  /** The key of the arguments. */
  readonly argumentsKey: 'arguments' | 'parameters'
}

/** Hermes, Qwen, and what models are told here whose template does not speak of tools. */
export const hermes: CallFormat = {
  sign: '<tool_call>',
  mark: '<tool_call>',
  open: '<tool_call>\n',
  close: '\n</tool_call>',
  list: false,
  argumentsKey: 'arguments',
}

const formats: readonly CallFormat[] = [
  hermes,
  // Mistral
  { sign: '[TOOL_CALLS]', mark: '[TOOL_CALLS]', open: '[TOOL_CALLS] ', close: '', list: true, argumentsKey: 'arguments' },
  // Llama 3.1 and later
  { sign: '"parameters":', mark: '{"name":', open: '', close: '', list: false, argumentsKey: 'parameters' },
]

/** The format of a template that takes tools; undefined where it takes none, or in a way that is not known here. */
export function callFormatOf(template: ChatTemplate): CallFormat | undefined {
  if (!/\btools\b/.test(template.source)) return undefined
  return formats.find(({ sign }) => template.source.includes(sign))
}
