import { expect, test } from 'vitest'
import { checkOptions } from '../../supported-options.js'

test('options that llama.cpp is not asked for are refused by name', () => {
  for (const options of [{ typicalP: 0.5 }, { logprobs: true }, { topLogprobs: 2 }])
    expect(() => checkOptions(options)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(Object.keys(options)[0]!) }),
    )
  expect(() => checkOptions({ typicalP: 1, logprobs: false, topK: 5, stop: ['a'] })).not.toThrow()
  expect(() => checkOptions({ topP: 2 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})
