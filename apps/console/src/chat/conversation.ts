import type { Turn } from '../server/stream-chat.js'

export interface Message extends Turn {
  readonly id: string
  /** Of an answer. */
  readonly tokens?: number
  readonly tokensPerSecond?: number
  /** Why it is not whole. */
  readonly ended?: 'stopped' | 'length' | 'failed'
}

export interface Conversation {
  readonly id: string
  readonly title: string
  /** Milliseconds since the epoch. */
  readonly updated: number
  readonly messages: readonly Message[]
}

// Ids are made here: `crypto.randomUUID` is missing where a page comes from another machine without TLS.
export const newId = (): string => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`

export const newConversation = (): Conversation => ({ id: newId(), title: 'New chat', updated: Date.now(), messages: [] })

const titleLength = 48

const titleOf = ({ content }: Message): string => {
  const line = content.trim().split('\n', 1)[0]!.trim()
  return line.length > titleLength ? `${line.slice(0, titleLength - 1).trimEnd()}…` : line
}

/** With a message at its end; the first of the user names it. */
export function withMessage(conversation: Conversation, message: Message): Conversation {
  const messages = [...conversation.messages, message]
  const title = conversation.messages.length === 0 && message.role === 'user' ? titleOf(message) : conversation.title
  return { ...conversation, messages, title, updated: Date.now() }
}

/** As it was before a message: what follows it came of it. */
export function before(conversation: Conversation, id: string): Conversation {
  const at = conversation.messages.findIndex((message) => message.id === id)
  if (at < 0) return conversation
  return { ...conversation, messages: conversation.messages.slice(0, at), ...(at === 0 && { title: 'New chat' }) }
}

/** Without the answers at its end: to answer anew. */
export function unanswered(conversation: Conversation): Conversation {
  const at = conversation.messages.findLastIndex(({ role }) => role === 'user')
  return { ...conversation, messages: conversation.messages.slice(0, at + 1) }
}

/** What the model is sent. Answers that failed before their first word are left out. */
export const turnsOf = ({ messages }: Conversation, system: string): readonly Turn[] => [
  ...(system.trim() ? [{ role: 'system' as const, content: system }] : []),
  ...messages.filter(({ content }) => content !== '').map(({ role, content }) => ({ role, content })),
]
