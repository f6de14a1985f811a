import { createInterface, type Interface } from 'node:readline'
import { failureOf } from '../errors.js'
import type { Output } from '../output/output.js'
import type { Conversation } from './conversation.js'
import { ChatHistory } from './history.js'
import { completeSlash, readLine } from './slash.js'

/** A conversation at a terminal, until the person leaves: quit, exit, q, Ctrl-D, or Ctrl-C twice. */
export async function chatAtTerminal(conversation: Conversation, out: Output): Promise<void> {
  const history = new ChatHistory()
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: out.color.bold(out.color.cyan('You: ')),
    history: history.lines,
    historySize: ChatHistory.limit,
    removeHistoryDuplicates: true,
    completer: completeSlash,
  })
  const { color } = out
  let answering: AbortController | undefined
  let leaving = false
  // After a Ctrl-C the next one leaves, until something is typed.
  let warned = false
  const leave = () => {
    leaving = true
    answering?.abort()
    lines.close()
  }
  lines.on('history', (kept: string[]) => history.save(kept))
  lines.on('close', leave)
  lines.on('SIGINT', () => {
    if (warned) return leave()
    warned = true
    if (answering) return answering.abort()
    process.stdout.write(`\n${color.dim('Ctrl-C again, or quit, to leave.')}\n`)
    clearLine(lines)
    lines.prompt()
  })
  process.once('SIGTERM', leave)
  process.once('SIGHUP', leave)

  for await (const line of linesOf(lines)) {
    warned = false
    const meant = readLine(line, conversation)
    if (meant.kind === 'leave') break
    if (meant.kind === 'shown') out.text(color.dim(meant.text))
    if (meant.kind === 'say') {
      answering = new AbortController()
      await answer(conversation, line.trim(), out, answering.signal)
      answering = undefined
      if (leaving) break
    }
  }
  process.off('SIGTERM', leave)
  process.off('SIGHUP', leave)
  lines.close()
  out.text(color.dim('Bye.'))
}

async function answer(conversation: Conversation, question: string, out: Output, signal: AbortSignal): Promise<void> {
  const { color } = out
  out.piece(color.bold(color.green(`${conversation.model}: `)))
  try {
    const { finishReason, tokens, tokensPerSecond } = await conversation.ask(question, (piece) => out.written(piece), signal)
    const ended = { stop: '', length: ', cut at its length', abort: ', stopped', tool_calls: '' }[finishReason]
    out.text(`\n${color.dim(`  ${tokens} tokens, ${Math.round(tokensPerSecond)} a second${ended}`)}`)
  } catch (error) {
    // One question that fails (too long for the context, say) does not end the conversation.
    out.text('')
    out.error(failureOf(error)?.line ?? String(error))
  }
}

/** Prompts, then gives the line; ends when the interface closes. Lines typed during an answer wait their turn. */
async function* linesOf(lines: Interface): AsyncGenerator<string> {
  const waiting: string[] = []
  let wake: (() => void) | undefined
  let closed = false
  lines.on('line', (line) => {
    waiting.push(line)
    wake?.()
  })
  lines.on('close', () => {
    closed = true
    wake?.()
  })
  while (!closed || waiting.length > 0) {
    if (waiting.length === 0) {
      lines.prompt()
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      wake = undefined
    }
    const line = waiting.shift()
    if (line !== undefined) yield line
  }
}

/** Empties what was typed so far, as shells do on Ctrl-C. */
function clearLine(lines: Interface): void {
  lines.write(null, { ctrl: true, name: 'e' })
  lines.write(null, { ctrl: true, name: 'u' })
}
