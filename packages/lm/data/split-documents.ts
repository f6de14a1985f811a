import { endOfText } from '../tokenizer/index.js'
import { lastSafeCut } from '../tokenizer/pre-tokens.js'
import { documentEnd, type Piece, textPiece } from './pieces.js'

/** Text longer than this is given out in pieces, cut where that changes no token … */
const pieceLength = 1 << 18
/** … and cut anywhere when there is no such place in so much of it. */
const hopelessLength = 1 << 22

/**
 * Splits text into documents at lines that are exactly `<|endoftext|>`; those lines are left out, everything else is kept, line ends and all.
 * A document without any text is none.
 */
export async function* splitDocuments(chunks: AsyncIterable<string>): AsyncGenerator<Piece> {
  let buffer = ''
  // Whether the buffer begins a line; whether its document has given out text.
  let lineStart = true
  let begun = false
  let searched = 0

  for await (const chunk of withEnd(chunks)) {
    const ended = chunk === undefined
    if (!ended) buffer += chunk
    for (;;) {
      const found = findSeparator(buffer, searched, lineStart, ended)
      if (found.state === 'line') {
        if (found.start > 0) yield textPiece(buffer.slice(0, found.start))
        if (begun || found.start > 0) yield documentEnd
        buffer = buffer.slice(found.end)
        lineStart = true
        begun = false
        searched = 0
        continue
      }
      searched = found.start
      break
    }
    while (!ended && searched > pieceLength) {
      const hopeless = searched > hopelessLength
      const cut = lastSafeCut(buffer, 0, searched)
      const at = cut > 0 ? cut : hopeless ? wholeCharacter(buffer, searched - 1) : 0
      if (at === 0) break
      yield textPiece(buffer.slice(0, at))
      begun = true
      lineStart = buffer[at - 1] === '\n'
      buffer = buffer.slice(at)
      searched -= at
    }
  }
  if (buffer !== '') yield textPiece(buffer)
  if (begun || buffer !== '') yield documentEnd
}

/** A separator line, or the place up to which there is surely none. */
type Found =
  | { readonly state: 'line'; readonly start: number; readonly end: number }
  | { readonly state: 'none'; readonly start: number }

function findSeparator(text: string, from: number, lineStart: boolean, ended: boolean): Found {
  for (let at = text.indexOf(endOfText, from); at >= 0; at = text.indexOf(endOfText, at + 1)) {
    if (at === 0 ? !lineStart : text[at - 1] !== '\n') continue
    const after = at + endOfText.length
    if (text[after] === '\n') return { state: 'line', start: at, end: after + 1 }
    if (text[after] === '\r' && text[after + 1] === '\n') return { state: 'line', start: at, end: after + 2 }
    const rest = text.slice(after)
    if (rest === '' || rest === '\r') return ended ? { state: 'line', start: at, end: text.length } : { state: 'none', start: at }
  }
  // A separator may have begun in the last characters.
  return { state: 'none', start: Math.max(from, text.length - endOfText.length - 1) }
}

async function* withEnd(chunks: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  yield* chunks
  yield undefined
}

function wholeCharacter(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at - 1 : at
}
