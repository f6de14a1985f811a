import { ChatTemplate, chatMl } from '../chat/chat-template.js'
import { LmError } from '../errors.js'
import { TokenBuffer, type Tokenizer, turnEnd, turnStart } from '../tokenizer/index.js'
import type { DataFile } from './data-files.js'
import type { Message } from './pieces.js'
import { readDocuments } from './read-documents.js'
import type { OnBytes } from './read-utf8.js'
import type { ShardWriter } from './shard-writer.js'
import type { TokenSplit } from './token-index.js'

/** Tokens gathered before they are handed on. */
const batch = 1 << 16

export interface DocumentEncoderOptions {
  readonly tokenizer: Tokenizer
  /** Stands before, between and after documents. */
  readonly eosId: number
  /** How conversations are written; null: as ChatML. */
  readonly template: ChatTemplate | null
  /** Set on tokens of conversations that are not answers; 0 where everything is learned. */
  readonly unlearned: number
  readonly signal?: AbortSignal | undefined
}

/** Writes documents as tokens. */
export class DocumentEncoder {
  documents = 0
  readonly #options: DocumentEncoderOptions
  readonly #writer: ShardWriter
  readonly #tokens = new TokenBuffer()
  #template: ChatTemplate | null
  #learned = 0
  #bytes = 0

  constructor(writer: ShardWriter, options: DocumentEncoderOptions) {
    this.#writer = writer
    this.#options = options
    this.#template = options.template
  }

  /** Appends the documents of some files, an end-of-text token before the first and after each. */
  async encode(files: readonly DataFile[], onBytes: OnBytes): Promise<TokenSplit> {
    const { eosId, signal } = this.#options
    const start = this.#writer.tokens
    const tokens = this.#tokens
    this.#learned = 0
    this.#bytes = 0
    tokens.clear()
    this.#push(eosId)
    for await (const piece of readDocuments(files, onBytes)) {
      signal?.throwIfAborted()
      if (piece.kind === 'text') this.#text(piece.text)
      else if (piece.kind === 'conversation') this.#conversation(piece.messages)
      else {
        this.#push(eosId)
        this.documents++
      }
      if (tokens.length < batch) continue
      await this.#writer.append(tokens.ids)
      tokens.clear()
    }
    await this.#writer.append(tokens.ids)
    const names = files.map(({ path }) => path).join(', ')
    if (this.#bytes === 0)
      throw new LmError('DATA_EMPTY', this.#options.unlearned ? `No answers to learn in ${names}` : `No text in ${names}`)
    return { start, end: this.#writer.tokens, bytes: this.#bytes, learned: this.#learned }
  }

  #push(id: number): void {
    this.#tokens.push(id)
    this.#learned++
  }

  #text(text: string): void {
    const before = this.#tokens.length
    this.#options.tokenizer.encodeInto(text, this.#tokens)
    this.#learned += this.#tokens.length - before
    this.#bytes += Buffer.byteLength(text)
  }

  #conversation(messages: readonly Message[]): void {
    this.#template ??= chatMlOf(this.#options.tokenizer)
    const { tokenizer, unlearned } = this.#options
    for (const part of this.#template.parts(messages, unlearned !== 0)) {
      const before = this.#tokens.length
      if (part.kind === 'text') tokenizer.encodeInto(part.text, this.#tokens)
      else this.#tokens.push(tokenizer.tokenToId(part.token)!)
      if (unlearned !== 0 && !part.answer) {
        const { ids } = this.#tokens
        for (let at = before; at < ids.length; at++) ids[at] = ids[at]! + unlearned
        continue
      }
      this.#learned += this.#tokens.length - before
      if (part.kind === 'text') this.#bytes += Buffer.byteLength(part.text)
    }
  }
}

/** @throws LmError TOKENIZER_INVALID where it lacks the tokens of turns */
function chatMlOf(tokenizer: Tokenizer): ChatTemplate {
  for (const token of [turnStart, turnEnd])
    if (tokenizer.tokenToId(token) === undefined)
      throw new LmError(
        'TOKENIZER_INVALID',
        `Conversations need the token ${token}, which this tokenizer lacks. Train one, or give plain text`,
      )
  return new ChatTemplate(chatMl, tokenizer)
}
