import { LmError } from '../errors.js'
import { type ChatMessage, type ChatPrompt, leastThat, longestEnd, withoutOldest } from '../generation/chat-prompt.js'

/**
 * The prompt for a conversation with a model that has a chat template, shortened until it leaves room for an answer: the oldest
 * turns are dropped, then the last message loses its beginning; system messages go only where they leave no room for any of it.
 * @param encode a conversation's ids, the assistant's turn opened
 */
export function templatedPrompt(
  messages: readonly ChatMessage[],
  encode: (messages: readonly ChatMessage[]) => readonly number[],
  room: number,
): ChatPrompt {
  const last = messages.at(-1)
  if (!last) return { prompt: encode([]), dropped: 0, trimmed: false }
  const earlier = messages.slice(0, -1)
  const systems = earlier.filter(({ role }) => role === 'system')
  const turns = earlier.length - systems.length
  const without = (dropped: number): Pick<ChatPrompt, 'dropped'> & { readonly prompt: readonly number[] } => {
    try {
      return { prompt: encode([...withoutOldest(earlier, dropped), last]), dropped }
    } catch (error) {
      // Some templates insist that user and assistant alternate: the answer goes with the question.
      if (dropped === 0 || dropped === turns || !(error instanceof LmError && error.code === 'TEMPLATE_INVALID')) throw error
      return without(dropped + 1)
    }
  }
  const dropped = leastThat(turns, (count) => without(count).prompt.length <= room)
  if (dropped <= turns) return { ...without(dropped), trimmed: false }
  const cut = (kept: readonly ChatMessage[]) => {
    const withEnd = (content: string) => encode([...kept, { ...last, content }])
    const content = longestEnd(last.content, (text) => withEnd(text).length <= room)
    return { prompt: withEnd(content), dropped: earlier.length - kept.length, trimmed: content !== last.content, content }
  }
  const { content, ...whole } = cut(systems)
  if (content !== '') return whole
  const { content: _, ...bare } = cut([])
  return bare
}
