import { createInterface } from 'node:readline'
import type { Output } from '../output/output.js'
import type { Conversation } from './conversation.js'
import { readLine } from './slash.js'

/** Answers each line of stdin, one after another. */
export async function chatPiped(conversation: Conversation, out: Output, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  signal.addEventListener('abort', () => lines.close(), { once: true })
  for await (const line of lines) {
    const meant = readLine(line, conversation)
    if (meant.kind === 'leave' || signal.aborted) break
    if (meant.kind === 'shown') out.note(meant.text)
    if (meant.kind !== 'say') continue
    const answer = await conversation.ask(line.trim(), (piece) => out.json || out.written(piece), signal)
    const { text, tokens, tokensPerSecond, finishReason, model } = answer
    if (out.json) out.data({ text, tokens, tokensPerSecond, finishReason, model })
    else out.piece('\n')
  }
  lines.close()
}
