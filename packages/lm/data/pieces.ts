import { turnEnd, turnStart } from '../tokenizer/index.js'

/** What data files are made of: documents, each some texts and special tokens, then its end. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'special'; readonly token: string }
  | { readonly kind: 'end' }

export interface Message {
  readonly role: string
  readonly content: string
}

export const documentEnd: Piece = { kind: 'end' }

export function textPiece(text: string): Piece {
  return { kind: 'text', text }
}

/** A conversation as one document, each turn `<|im_start|>role\ncontent<|im_end|>\n` (ChatML); content is never read as special tokens. */
export function* chatPieces(messages: readonly Message[]): Generator<Piece> {
  for (const { role, content } of messages) {
    yield { kind: 'special', token: turnStart }
    yield textPiece(`${role}\n${content}`)
    yield { kind: 'special', token: turnEnd }
    yield textPiece('\n')
  }
  yield documentEnd
}
