import { classAt, isSpaceAt, Space } from './character-class.js'

const apostrophe = 39
const space = 32

/**
 * The end of the pre-token that starts at `start` (`start` < text.length). Merges never cross pre-tokens.
 *
 * The pattern is GPT-2's, as the `ByteLevel` pre-tokenizer with `use_regex` has it, walked by hand for speed:
 * `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
 */
export function preTokenEnd(text: string, start: number): number {
  const unit = text.charCodeAt(start)
  if (unit === apostrophe) {
    const length = contractionLength(text, start)
    if (length > 0) return start + length
  }
  const first = classAt(text, start)
  if (first !== Space) return runEnd(text, start, first)
  if (unit === space && start + 1 < text.length) {
    const second = classAt(text, start + 1)
    if (second !== Space) return runEnd(text, start + 1, second)
  }
  let end = start + 1
  while (end < text.length && isSpaceAt(text, end)) end++
  // Of white space before a word, the last character is left to the word.
  return end === text.length || end === start + 1 ? end : end - 1
}

/**
 * The last place in (`from`, `to`] where text can be cut so that both halves give the tokens of the whole: before white space that
 * follows something else. -1 if there is none.
 */
export function lastSafeCut(text: string, from: number, to: number): number {
  for (let at = Math.min(to, text.length - 1); at > from; at--) {
    if (isSpaceAt(text, at) && !isSpaceAt(text, at - 1)) return at
  }
  return -1
}

function runEnd(text: string, start: number, kind: number): number {
  let end = start
  while (end < text.length && classAt(text, end) === kind) end += isPairAt(text, end) ? 2 : 1
  return end
}

function isPairAt(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
}

function contractionLength(text: string, start: number): number {
  switch (text[start + 1]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2
    case 'r':
    case 'v':
      return text[start + 2] === 'e' ? 3 : 0
    case 'l':
      return text[start + 2] === 'l' ? 3 : 0
    default:
      return 0
  }
}
