/** Ends a document and, since it stands between documents, begins the next: beginning and end of text in one, as in GPT-2. */
export const endOfText = '<|endoftext|>'
/** Opens a chat turn: `<|im_start|>role`, a new line, the content (ChatML). */
export const turnStart = '<|im_start|>'
/** Closes a chat turn. */
export const turnEnd = '<|im_end|>'

/** The special tokens of a tokenizer trained here; their ids are 0, 1, 2. */
export const defaultSpecialTokens: readonly string[] = [endOfText, turnStart, turnEnd]

/** Names under which other tokenizers keep their beginning and end of text, most telling first. */
export const beginningNames: readonly string[] = ['<|begin_of_text|>', '<s>', '<bos>', endOfText]
export const endNames: readonly string[] = ['<|end_of_text|>', '</s>', '<eos>', endOfText]

/** A pattern that finds any of the tokens in a text, the leftmost first, the longest where several start; undefined for none. */
export function specialPattern(tokens: readonly string[]): RegExp | undefined {
  if (tokens.length === 0) return undefined
  const longestFirst = [...tokens].sort((a, b) => b.length - a.length)
  return new RegExp(longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')
}
