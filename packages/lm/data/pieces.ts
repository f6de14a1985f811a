/** What data files are made of: documents, each some text or a conversation, then its end. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'conversation'; readonly messages: readonly Message[] }
  | { readonly kind: 'end' }

export interface Message {
  readonly role: string
  readonly content: string
}

export const documentEnd: Piece = { kind: 'end' }

export function textPiece(text: string): Piece {
  return { kind: 'text', text }
}

/** A conversation as one document. */
export function* chatPieces(messages: readonly Message[]): Generator<Piece> {
  yield { kind: 'conversation', messages }
  yield documentEnd
}
