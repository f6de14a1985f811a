import { expect, it } from 'vitest'
import { type ChatMessage, chatPrompt } from './chat-prompt.js'

const system: ChatMessage = { role: 'system', content: 'Be brief.' }
const turns: ChatMessage[] = [
  { role: 'user', content: 'One?' },
  { role: 'assistant', content: 'First.' },
  { role: 'user', content: 'Two?' },
]
const within = (length: number) => (prompt: string) => prompt.length <= length

it('keeps everything where it fits, as paragraphs', () => {
  expect(chatPrompt([system, ...turns], within(100))).toEqual({
    prompt: 'Be brief.\n\nOne?\n\nFirst.\n\nTwo?\n\n',
    dropped: 0,
    trimmed: false,
  })
  expect(chatPrompt([], within(0))).toEqual({ prompt: '', dropped: 0, trimmed: false })
})

it('drops the oldest turns first and keeps the system message', () => {
  expect(chatPrompt([system, ...turns], within(30))).toEqual({
    prompt: 'Be brief.\n\nFirst.\n\nTwo?\n\n',
    dropped: 1,
    trimmed: false,
  })
  expect(chatPrompt([system, ...turns], within(20))).toEqual({ prompt: 'Be brief.\n\nTwo?\n\n', dropped: 2, trimmed: false })
})

it('leaves out the beginning of a last message that does not fit alone, by whole characters', () => {
  const long: ChatMessage = { role: 'user', content: `${'x'.repeat(500)}🦔🦔 end` }
  expect(chatPrompt([...turns, long], within(7))).toEqual({ prompt: '🦔 end', dropped: 3, trimmed: true })
  expect(chatPrompt([system, ...turns, long], within(14))).toEqual({ prompt: 'Be brief.\n\nend', dropped: 3, trimmed: true })
})

it('gives up a system message that leaves no room for any of the last one', () => {
  expect(chatPrompt([system, ...turns], within(6))).toEqual({ prompt: 'Two?\n\n', dropped: 3, trimmed: false })
  expect(chatPrompt([system, ...turns], within(4))).toEqual({ prompt: 'o?\n\n', dropped: 3, trimmed: true })
})

it('keeps the end of the turn that no longer fits, from a whole word on: a text goes on from there', () => {
  const messages = [
    { role: 'user', content: 'Once upon a time' },
    { role: 'assistant', content: 'there was a king who had a son' },
    { role: 'user', content: 'And then' },
  ] as const
  const result = chatPrompt(messages, (prompt) => prompt.length <= 24)
  expect(result).toEqual({ prompt: 'who had a son\n\nAnd then', dropped: 1, trimmed: true })
})
