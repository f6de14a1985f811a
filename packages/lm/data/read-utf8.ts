import { createReadStream } from 'node:fs'
import { LmError } from '../errors.js'
import type { DataFile } from './data-files.js'

/** Bytes read at once: enough text to cut well, little to hold. */
const chunkBytes = 1 << 20

/** Told how many bytes were read since last time; what it throws ends the reading. */
export type OnBytes = (bytes: number) => void

/**
 * The text of a file, piece by piece, a byte order mark left out.
 * @throws LmError DATA_INVALID where it is not UTF-8, FILE_NOT_FOUND
 */
export async function* readUtf8({ path }: DataFile, onBytes?: OnBytes): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
      onBytes?.(chunk.length)
      const text = decoder.decode(chunk, { stream: true })
      if (text !== '') yield text
    }
    const rest = decoder.decode()
    if (rest !== '') yield rest
  } catch (error) {
    if (error instanceof TypeError) {
      throw new LmError('DATA_INVALID', `${path} is not UTF-8 text. Save it as UTF-8, or leave it out`, { cause: error })
    }
    if (error instanceof Error && 'syscall' in error) {
      throw new LmError('FILE_NOT_FOUND', `Cannot read ${path}: ${error.message}`, { cause: error })
    }
    throw error
  }
}

/** Characters of a line: a longer one is no text that was written, and would not fit into memory as JSON. */
const longestLine = 1 << 28

/**
 * The lines of chunks of text, without their ends (`\n`, `\r\n`).
 * @param path how messages name the text
 * @throws LmError DATA_INVALID for a line of more than 2^28 characters
 */
export async function* linesOf(chunks: AsyncIterable<string>, path = 'The text'): AsyncGenerator<string> {
  // A long line comes in many pieces: each is looked at once.
  let pieces: string[] = []
  let length = 0
  for await (const chunk of chunks) {
    const [first, ...others] = chunk.split('\n') as [string, ...string[]]
    pieces.push(first)
    length += first.length
    if (length > longestLine) throw new LmError('DATA_INVALID', `${path} has a line of more than 268 million characters`)
    const last = others.pop()
    if (last === undefined) continue
    yield withoutReturn(pieces.join(''))
    for (const line of others) yield withoutReturn(line)
    pieces = [last]
    length = last.length
  }
  const rest = pieces.join('')
  if (rest !== '') yield withoutReturn(rest)
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
