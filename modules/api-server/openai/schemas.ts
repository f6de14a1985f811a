// What the routes of OpenAI take, as JSON schemas: they check requests and make the OpenAPI document. Fields that are not listed are
// let through and ignored, as OpenAI's clients send more every year.

const probability = { type: 'number', minimum: 0, maximum: 1 } as const
const penalty = { type: 'number', minimum: -2, maximum: 2 } as const
const count = { type: 'integer', minimum: 1 } as const

const sampling = {
  model: { type: 'string', description: 'as /v1/models lists it' },
  max_tokens: { ...count, nullable: true },
  temperature: { type: 'number', minimum: 0, maximum: 2, nullable: true },
  top_p: { ...probability, nullable: true },
  top_k: { type: 'integer', minimum: 0, description: 'not OpenAI: the k likeliest tokens; 0 keeps all' },
  min_p: { ...probability, description: 'not OpenAI: tokens at least this share as likely as the likeliest' },
  repetition_penalty: { type: 'number', minimum: 1, maximum: 2, description: 'not OpenAI: 1 is off' },
  presence_penalty: { ...penalty, nullable: true },
  frequency_penalty: { ...penalty, nullable: true },
  logit_bias: { type: 'object', additionalProperties: { type: 'number', minimum: -100, maximum: 100 }, nullable: true },
  seed: { type: 'integer', nullable: true },
  n: { type: 'integer', minimum: 1, maximum: 128, nullable: true },
  stop: {
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, maxItems: 16 }, { type: 'null' }],
  },
  stream: { type: 'boolean', nullable: true },
  stream_options: { type: 'object', properties: { include_usage: { type: 'boolean' } }, nullable: true },
  user: { type: 'string' },
} as const

const textPart = {
  type: 'object',
  required: ['type', 'text'],
  properties: { type: { type: 'string' }, text: { type: 'string' } },
} as const

const message = {
  type: 'object',
  required: ['role'],
  properties: {
    role: { type: 'string', enum: ['system', 'developer', 'user', 'assistant', 'tool'] },
    content: { anyOf: [{ type: 'string' }, { type: 'array', items: textPart }, { type: 'null' }] },
    tool_calls: { type: 'array', items: { type: 'object' } },
    tool_call_id: { type: 'string' },
  },
} as const

const namedFunction = {
  type: 'object',
  required: ['type', 'function'],
  properties: {
    type: { type: 'string', enum: ['function'] },
    function: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, description: { type: 'string' }, parameters: { type: 'object' } },
    },
  },
} as const

export const chatSchema = {
  type: 'object',
  required: ['model', 'messages'],
  properties: {
    ...sampling,
    messages: { type: 'array', minItems: 1, items: message },
    max_completion_tokens: { ...count, nullable: true },
    logprobs: { type: 'boolean', nullable: true },
    top_logprobs: { type: 'integer', minimum: 0, maximum: 20, nullable: true },
    response_format: {
      type: 'object',
      required: ['type'],
      properties: {
        type: { type: 'string', enum: ['text', 'json_object', 'json_schema'] },
        json_schema: {
          type: 'object',
          required: ['schema'],
          properties: { name: { type: 'string' }, schema: { type: 'object' }, strict: { type: 'boolean', nullable: true } },
        },
      },
    },
    tools: { type: 'array', items: namedFunction },
    tool_choice: { anyOf: [{ type: 'string', enum: ['auto', 'none', 'required'] }, namedFunction] },
  },
} as const

export const completionSchema = {
  type: 'object',
  required: ['model'],
  properties: {
    ...sampling,
    prompt: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 128 }] },
    echo: { type: 'boolean', nullable: true },
    logprobs: { type: 'integer', minimum: 0, maximum: 20, nullable: true },
  },
} as const
