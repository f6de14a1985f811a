import type { DataFile } from './data-files.js'
import type { Piece } from './pieces.js'
import { readJsonl } from './read-jsonl.js'
import { isPairs, readPairs } from './read-pairs.js'
import { linesOf, type OnBytes, readUtf8 } from './read-utf8.js'
import { splitDocuments } from './split-documents.js'

/**
 * The documents of data files, streamed. Text is split at `<|endoftext|>` lines; without any the file is one document. Text that begins with
 * `Q:` / `A:` lines, and `messages` in JSON Lines, become conversations.
 * @throws LmError DATA_INVALID, FILE_NOT_FOUND
 */
export async function* readDocuments(files: readonly DataFile[], onBytes?: OnBytes): AsyncGenerator<Piece> {
  for (const file of files) {
    const chunks = readUtf8(file, onBytes)
    if (file.kind === 'jsonl') {
      yield* readJsonl(file.path, linesOf(chunks, file.path))
      continue
    }
    const first = await chunks.next()
    if (first.done) continue
    const all = prepend(first.value, chunks)
    yield* isPairs(first.value) ? readPairs(linesOf(all, file.path)) : splitDocuments(all)
  }
}

/** The text of data files without special tokens: what a tokenizer is trained on. */
export async function* readTexts(files: readonly DataFile[], onBytes?: OnBytes): AsyncGenerator<string> {
  for await (const piece of readDocuments(files, onBytes)) {
    if (piece.kind === 'text') yield piece.text
    else if (piece.kind === 'conversation') for (const { role, content } of piece.messages) yield* [`${role}\n${content}`, '\n']
  }
}

/** Documents of a text that may come before its questions and answers. */
const preamble = 3

/** Whether data files hold conversations. @throws LmError DATA_INVALID, FILE_NOT_FOUND; the signal's reason */
export async function holdConversations(files: readonly DataFile[], signal?: AbortSignal): Promise<boolean> {
  for (const file of files) {
    let documents = 0
    for await (const piece of readDocuments([file], () => signal?.throwIfAborted())) {
      if (piece.kind === 'conversation') return true
      // Questions and answers begin a file of text, or are none; lines of JSON may come in any order.
      if (file.kind === 'text' && piece.kind === 'end' && ++documents === preamble) break
    }
  }
  return false
}

async function* prepend(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first
  yield* rest
}
