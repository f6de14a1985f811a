import type { Tool, ToolCall, ToolChoice } from '@enigma/contracts'

// Requests as the schemas let them through.

/** Fields that chats and completions share. Null is as good as absent, as in OpenAI's own interface. */
export interface SamplingRequest {
  readonly model: string
  readonly max_tokens?: number | null
  readonly temperature?: number | null
  readonly top_p?: number | null
  readonly top_k?: number
  readonly min_p?: number
  readonly repetition_penalty?: number
  readonly presence_penalty?: number | null
  readonly frequency_penalty?: number | null
  readonly logit_bias?: Readonly<Record<string, number>> | null
  readonly seed?: number | null
  readonly n?: number | null
  readonly stop?: string | readonly string[] | null
  readonly stream?: boolean | null
  readonly stream_options?: { readonly include_usage?: boolean } | null
}

export type Content = string | readonly { readonly type: string; readonly text: string }[] | null

export interface RequestMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
  readonly content?: Content
  readonly tool_calls?: readonly ToolCall[]
  readonly tool_call_id?: string
}

export interface ChatRequest extends SamplingRequest {
  readonly messages: readonly RequestMessage[]
  readonly max_completion_tokens?: number | null
  readonly logprobs?: boolean | null
  readonly top_logprobs?: number | null
  readonly response_format?: {
    readonly type: 'text' | 'json_object' | 'json_schema'
    readonly json_schema?: { readonly schema: Readonly<Record<string, unknown>> }
  }
  readonly tools?: readonly Tool[]
  readonly tool_choice?: ToolChoice
}

export interface CompletionRequest extends SamplingRequest {
  readonly prompt?: string | readonly string[]
  readonly echo?: boolean | null
  readonly logprobs?: number | null
}
