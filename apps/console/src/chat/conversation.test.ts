import { describe, expect, it } from 'vitest'
import { before, type Message, newConversation, turnsOf, unanswered, withMessage } from './conversation.js'

const message = (id: string, role: Message['role'], content = id): Message => ({ id, role, content })
const long = [
  message('a', 'user', 'Hello!\nHow are you?'),
  message('b', 'assistant'),
  message('c', 'user'),
  message('d', 'assistant'),
]
const conversation = long.reduce(withMessage, newConversation())

describe('a conversation', () => {
  it('is named by the first line of its first message, shortened', () => {
    expect(conversation.title).toBe('Hello!')
    expect(withMessage(newConversation(), message('x', 'user', 'word '.repeat(40))).title).toMatch(/^word .{42}…$/)
  })

  it('goes back to before a message, and has no name before the first', () => {
    expect(before(conversation, 'c').messages.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(before(conversation, 'a').title).toBe('New chat')
    expect(before(conversation, 'missing')).toBe(conversation)
  })

  it('loses its last answer and keeps the question', () => {
    expect(unanswered(conversation).messages.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(unanswered(unanswered(conversation))).toEqual(unanswered(conversation))
  })

  it('is sent with the system prompt first and without empty answers', () => {
    const failed = withMessage(conversation, message('e', 'assistant', ''))
    expect(turnsOf(failed, 'Be brief.').map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant'])
    expect(turnsOf(failed, '  ')[0]?.role).toBe('user')
  })
})
