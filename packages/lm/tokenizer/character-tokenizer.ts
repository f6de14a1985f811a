import { LmError } from '../errors.js'
import { Characters, unknown } from './characters.js'
import { defaultSpecialTokens } from './special-tokens.js'
import { Tokenizer } from './tokenizer.js'

const loneSurrogate = /^[\ud800-\udfff]$/

/** A tokenizer of the characters of a text, in order of code points, after the special tokens. @throws LmError DATA_EMPTY */
export async function characterTokenizer(texts: Iterable<string> | AsyncIterable<string>): Promise<Tokenizer> {
  const found = new Set<string>()
  for await (const text of texts) for (const character of text) found.add(character)
  if (found.size === 0) throw new LmError('DATA_EMPTY', 'There is no text to take characters from')
  const specials = [...defaultSpecialTokens, unknown]
  const characters = [...found].filter((character) => !loneSurrogate.test(character))
  const names = [...specials, ...characters.sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)]
  return new Tokenizer(new Characters(names, new Map(specials.map((name, id) => [id, name]))))
}
