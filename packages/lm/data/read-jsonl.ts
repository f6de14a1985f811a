import { LmError } from '../errors.js'
import { chatPieces, documentEnd, type Message, type Piece, textPiece } from './pieces.js'

const role = /^[a-z][\w-]*$/i

/**
 * JSON Lines: each line an object with `text`, or with `messages`, a list of `{role, content}`. Each is a document; empty lines are none.
 * @throws LmError DATA_INVALID naming file and line
 */
export async function* readJsonl(path: string, lines: AsyncIterable<string>): AsyncGenerator<Piece> {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    yield* documentPieces(line, `${path}, line ${number}`)
  }
}

function* documentPieces(line: string, where: string): Generator<Piece> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new LmError('DATA_INVALID', `${where}: not JSON. Each line must be one whole JSON object`, { cause: error })
  }
  const { text, messages } = (typeof value === 'object' && value !== null ? value : {}) as { text?: unknown; messages?: unknown }
  if (Array.isArray(messages) && messages.length > 0) yield* chatPieces(messages.map((message) => readMessage(message, where)))
  else if (typeof text === 'string') {
    if (text !== '') yield* [textPiece(text), documentEnd]
  } else {
    throw new LmError('DATA_INVALID', `${where}: needs "text": "…" or "messages": [{"role": …, "content": …}]`)
  }
}

function readMessage(value: unknown, where: string): Message {
  const message = (typeof value === 'object' && value !== null ? value : {}) as { role?: unknown; content?: unknown }
  if (typeof message.role === 'string' && role.test(message.role) && typeof message.content === 'string') {
    return { role: message.role, content: message.content }
  }
  throw new LmError('DATA_INVALID', `${where}: a message needs a role (one word) and a content (text)`)
}
