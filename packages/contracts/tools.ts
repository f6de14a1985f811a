/** A function that the model may ask to be called, in OpenAI's shape. */
export interface Tool {
  readonly type: 'function'
  readonly function: {
    readonly name: string
    readonly description?: string
    /** JSON schema of the arguments, an object; default: none. */
    readonly parameters?: boolean | Readonly<Record<string, unknown>>
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
