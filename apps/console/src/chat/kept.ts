import type { Conversation } from './conversation.js'

// Conversations stay in this browser, each under a key of its own: two tabs change different ones without harm.

const prefix = 'enigma.chat.'

/** All that are kept, the latest first. What cannot be read is passed over. */
export function keptConversations(): Conversation[] {
  const found = Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .map((key) => parsed(localStorage.getItem(key)))
    .filter((conversation) => conversation !== undefined)
  return found.sort((a, b) => b.updated - a.updated)
}

/** @throws DOMException when the browser keeps no more */
export const keep = (conversation: Conversation): void =>
  localStorage.setItem(prefix + conversation.id, JSON.stringify(conversation))

export const forget = (id: string): void => localStorage.removeItem(prefix + id)

function parsed(text: string | null): Conversation | undefined {
  try {
    const value = JSON.parse(text ?? '') as Conversation
    return Array.isArray(value.messages) && typeof value.id === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
