export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface ChatPrompt {
  /** Text, or the tokens of a chat template. */
  readonly prompt: string | readonly number[]
  /** Messages that were left out. */
  readonly dropped: number
  /** Whether the beginning of the oldest message that is left, or of the last one, was left out. */
  readonly trimmed: boolean
}

/**
 * The prompt that continues a conversation with a model that was trained on running text and knows no roles: what was said so
 * far, as paragraphs, for the model to go on with. A newline after a user's words is where the model's begin, unless
 * they stop in mid-sentence, which it then continues.
 *
 * @param fits whether a prompt leaves room for an answer. Until one does, turns are dropped from the beginning, the oldest first; then the last
 * message loses its beginning; system messages go only where they leave no room for any of it
 */
export function chatPrompt(messages: readonly ChatMessage[], fits: (prompt: string) => boolean): ChatPrompt {
  const last = messages.at(-1)
  if (!last) return { prompt: '', dropped: 0, trimmed: false }
  const earlier = messages.slice(0, -1)
  const result = (kept: readonly ChatMessage[], end: string) => ({
    prompt: render([...kept, { ...last, content: end }]),
    dropped: earlier.length - kept.length,
    trimmed: end !== last.content,
  })

  /** The last turn that was dropped has an end that may still fit: a text goes on from there. */
  const withEndOf = (dropped: number, whole: ChatPrompt): ChatPrompt => {
    const cut = earlier.filter(({ role }) => role !== 'system')[dropped - 1]!
    const kept = (content: string) => {
      let toDrop = dropped
      const rest = earlier.flatMap((message) => {
        if (message.role === 'system' || toDrop-- <= 0) return [message]
        return message === cut ? [{ ...message, content }] : []
      })
      return render([...rest, last])
    }
    const end = wholeWords(longestEnd(cut.content, (content) => content === '' || fits(kept(content))))
    return end.trim() === '' ? whole : { prompt: kept(end), dropped: dropped - 1, trimmed: true }
  }

  const systems = earlier.filter(({ role }) => role === 'system')
  const turns = earlier.length - systems.length
  const wholeWithout = (dropped: number) => result(withoutOldest(earlier, dropped), last.content)
  const dropped = leastThat(turns, (count) => fits(wholeWithout(count).prompt))
  if (dropped === 0) return wholeWithout(0)
  if (dropped <= turns) return withEndOf(dropped, wholeWithout(dropped))
  const end = longestEnd(last.content, (text) => fits(result(systems, text).prompt))
  return end
    ? result(systems, end)
    : result(
        [],
        longestEnd(last.content, (text) => fits(result([], text).prompt)),
      )
}

/** The longest end of a text that fits, by whole characters: longer ends need more room. */
export function longestEnd(text: string, fits: (text: string) => boolean): string {
  const characters = [...text]
  const endFrom = (start: number) => characters.slice(start).join('')
  return endFrom(leastThat(characters.length - 1, (start) => fits(endFrom(start))))
}

/** Messages without the `count` oldest turns; system messages are none. */
export function withoutOldest(messages: readonly ChatMessage[], count: number): ChatMessage[] {
  let toDrop = count
  return messages.filter(({ role }) => role === 'system' || toDrop-- <= 0)
}

/** The least number from 0 to `most` that passes, by bisection: what is above one that passes, passes. `most` + 1 where none does. */
export function leastThat(most: number, passes: (count: number) => boolean): number {
  if (passes(0)) return 0
  let [low, high] = [1, most + 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** A text that was cut at its beginning, from its first whole word on. */
const wholeWords = (end: string) => (/\s/.test(end) ? end.slice(end.search(/\s/) + 1) : '')

const finished = /[.!?"']\s*$/

function render(messages: readonly ChatMessage[]): string {
  const text = messages.map((message) => message.content.trim()).filter(Boolean)
  const last = text.at(-1) ?? ''
  return text.join('\n\n') + (finished.test(last) ? '\n\n' : '')
}
