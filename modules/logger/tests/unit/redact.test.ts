import { expect, test } from 'vitest'
import { redactFields, redactText } from '../../redact.js'

test('fields named like secrets are hidden at any depth, in any spelling', () => {
  const fields = {
    apiKey: 'a',
    OPENAI_API_KEY: 'b',
    headers: { 'Set-Cookie': 'c', authorization: 'd' },
    list: [{ password: 'e' }],
  }
  expect(redactFields(fields)).toEqual({
    apiKey: '[redacted]',
    OPENAI_API_KEY: '[redacted]',
    headers: { 'Set-Cookie': '[redacted]', authorization: '[redacted]' },
    list: [{ password: '[redacted]' }],
  })
})

test('counts of tokens and other plain fields stay', () => {
  const fields = {
    tokens: 64,
    tokensPerSecond: 200.5,
    promptTokens: 3,
    secretary: 'Ada',
    nothing: null,
    none: undefined,
    big: 5n,
  }
  expect(redactFields(fields)).toEqual({ ...fields, big: '5' })
})

test('tokens within text are hidden', () => {
  expect(redactText('sent Authorization: Bearer abcdefgh12345678 ok')).toBe('sent Authorization: Bearer [redacted] ok')
  expect(redactText('key sk-abcdefghijklmnopqrstuvwx used')).toBe('key [redacted] used')
  expect(redactText('GET /v1?api_key=abc&x=1')).toBe('GET /v1?api_key=[redacted]&x=1')
  expect(redactText('Once upon a time')).toBe('Once upon a time')
})

test('errors keep type, message and cause; cycles, depth and buffers are cut', () => {
  const cycle: Record<string, unknown> = { name: 'loop' }
  cycle.self = cycle
  let deep: Record<string, unknown> = {}
  for (let i = 0; i < 20; i++) deep = { deep }
  const written = redactFields({
    error: new TypeError('bad', { cause: new Error('why') }),
    cycle,
    deep,
    data: new Float32Array(4),
  })
  expect(written.error).toMatchObject({ type: 'TypeError', message: 'bad', cause: { type: 'Error', message: 'why' } })
  expect(written.cycle).toEqual({ name: 'loop', self: '[circular]' })
  expect(JSON.stringify(written.deep)).toContain('[deep]')
  expect(written.data).toBe('[Float32Array of 16 bytes]')
})
