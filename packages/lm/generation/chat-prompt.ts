export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/**
 * The prompt that continues a conversation with a model that was trained on running text and knows no roles: what was said so
 * far, as paragraphs, for the model to go on with. A newline after a user's words is where the model's begin, unless
 * they stop in mid-sentence, which it then continues.
 *
 * @param fits whether a prompt leaves room for an answer; the oldest messages are dropped until one does
 */
export function chatPrompt(
  messages: readonly ChatMessage[],
  fits: (prompt: string) => boolean,
): { prompt: string; stop: readonly string[]; dropped: number } {
  for (let dropped = 0; ; dropped++) {
    const prompt = render(messages.slice(dropped))
    if (dropped >= messages.length - 1 || fits(prompt)) return { prompt, stop: [], dropped }
  }
}

const finished = /[.!?"']\s*$/

function render(messages: readonly ChatMessage[]): string {
  const text = messages.map((message) => message.content.trim()).filter(Boolean)
  const last = text.at(-1) ?? ''
  return text.join('\n\n') + (finished.test(last) ? '\n\n' : '')
}
