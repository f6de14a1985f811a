import { type CodePoints, complement, intersection, utf8 } from './code-points.js'
import type { Language, Languages } from './language.js'
import { anyText } from './literals.js'

/** Characters that JSON writes with a backslash. */
const shortEscapes: ReadonlyMap<number, string> = new Map([
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
])
const mustEscape: readonly CodePoints[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]
const plain = complement(mustEscape)

/** One of some characters as it stands within a JSON string, written in one way only: as `JSON.stringify` does. */
export function characters(languages: Languages, ranges: readonly CodePoints[]): Language {
  const escaped = intersection(ranges, mustEscape).flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  )
  const escaping = (codePoint: number) => shortEscapes.get(codePoint) ?? `\\u${codePoint.toString(16).padStart(4, '0')}`
  return languages.either(
    utf8(languages, intersection(ranges, plain)),
    ...escaped.map((codePoint) => languages.text(escaping(codePoint))),
  )
}

/** The languages of JSON strings, made once for a schema. */
export class StringLanguages {
  readonly #languages: Languages
  readonly #quote: Language
  /** Any character, in every way of JSON but as a surrogate: `é`, `\u00e9`, `\n`. */
  readonly #character: Language
  /** Characters that need no backslash. */
  readonly #plain: Language

  constructor(languages: Languages) {
    const { byte, either, sequence } = languages
    this.#languages = languages
    this.#quote = byte(0x22)
    this.#plain = utf8(languages, plain)
    const hex = byte([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])
    const notD = byte([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66])
    const d = byte(0x44, 0x64)
    const noSurrogate = either(sequence(notD, hex, hex, hex), sequence(d, byte([0x30, 0x37]), hex, hex))
    const afterBackslash = either(byte(...Array.from('"\\/bfnrt', (c) => c.charCodeAt(0))), sequence(byte(0x75), noSurrogate))
    this.#character = either(this.#plain, sequence(byte(0x5c), afterBackslash))
  }

  /** Strings of `min` to `max` characters (code points), where `content` restricts what is between the quotes. */
  string(min = 0, max = Number.POSITIVE_INFINITY, content?: Language): Language {
    const { repeat, both, sequence } = this.#languages
    const anything = repeat(this.#character, min, max)
    const free = min === 0 && max === Number.POSITIVE_INFINITY
    const inside = !content ? anything : free ? content : both(content, anything)
    return sequence(this.#quote, inside, this.#quote)
  }

  /** Names of properties other than these, without escapes, so that each name is written in one way only. */
  nameOtherThan(names: readonly string[]): Language {
    const { repeat, both, not, sequence } = this.#languages
    const any = repeat(this.#plain)
    const taken = anyText(
      this.#languages,
      names.map((name) => JSON.stringify(name).slice(1, -1)),
    )
    const free = names.length === 0 ? any : both(any, not(taken))
    return sequence(this.#quote, free, this.#quote)
  }
}
