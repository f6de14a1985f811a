import type { GenerateOptions } from '@enigma/contracts'
import { expect, test } from 'vitest'
import { requestFields } from './request-fields.js'

const chat = { endpoint: 'chat', extensions: false, limit: 'max_tokens' } as const
const text = { ...chat, endpoint: 'text' } as const

test('options take the names of the interface', () => {
  const options = { maxTokens: 5, topP: 0.5, stop: ['a'], seed: 1, logitBias: { 3: -100 }, topLogprobs: 2, temperature: 0 }
  expect(requestFields(options, chat)).toEqual({
    ...{ max_tokens: 5, top_p: 0.5, stop: ['a'], seed: 1, logit_bias: { 3: -100 } },
    ...{ logprobs: true, top_logprobs: 2, temperature: 0 },
  })
  expect(requestFields({ maxTokens: 5 }, { ...chat, limit: 'max_completion_tokens' })).toEqual({ max_completion_tokens: 5 })
  expect(requestFields({ responseFormat: { type: 'json_schema', schema: { type: 'object' } } }, chat)).toEqual({
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: { type: 'object' } } },
  })
})

test('an option that would be ignored is refused by name', () => {
  const refused: [GenerateOptions, typeof chat | typeof text][] = [
    [{ topK: 5 }, chat],
    [{ minP: 0.1 }, chat],
    [{ typicalP: 0.5 }, chat],
    [{ repetitionPenalty: 1.2 }, chat],
    [{ truncate: 'oldest' }, chat],
    [{ cache: false }, chat],
    [{ logprobs: true }, text],
    [{ topLogprobs: 1 }, text],
    [{ responseFormat: { type: 'json_object' } }, text],
  ]
  for (const [options, rules] of refused) {
    const [name] = Object.keys(options)
    expect(() => requestFields(options, rules)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(`'${name}'`) }),
    )
  }
})

test('what changes nothing is let through, and servers that know more are sent more', () => {
  const neutral = {
    topK: 0,
    minP: 0,
    typicalP: 1,
    repetitionPenalty: 1,
    truncate: 'never',
    cache: true,
    stop: [],
    logprobs: false,
  } as const
  expect(requestFields({ ...neutral, stop: [] }, text)).toEqual({})
  expect(requestFields({ topK: 5, repetitionPenalty: 1.2 }, { ...chat, extensions: true })).toEqual({
    top_k: 5,
    repetition_penalty: 1.2,
  })
})
