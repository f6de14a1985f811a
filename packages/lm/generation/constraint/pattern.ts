import { LmError } from '../../errors.js'
import { type CodePoints, complement } from './code-points.js'
import type { Language, Languages } from './language.js'
import { characters } from './string-language.js'

const digits: readonly CodePoints[] = [[0x30, 0x39]]
const word: readonly CodePoints[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const spaceCodes = [0x20, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff]
const space: readonly CodePoints[] = [[9, 13], [0x2000, 0x200a], ...spaceCodes.map((c) => [c, c] as const)]
const anyButLineEnd = complement([0x0a, 0x0d, 0x2028, 0x2029].map((c) => [c, c] as const))
const everything = complement([])

const classes: Readonly<Record<string, readonly CodePoints[]>> = {
  d: digits,
  D: complement(digits),
  w: word,
  W: complement(word),
  s: space,
  S: complement(space),
}
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }

/**
 * The inside of the JSON strings in which a regular expression (ECMAScript's, flag `u`) finds something: literals, `.`, classes, `\d\w\s`,
 * groups, `|`, `* + ? {n,m}`, and `^` `$` at the ends of an alternative.
 * @throws LmError SCHEMA_UNSUPPORTED for what is no regular language or not known here: look-around, back references, `\b`, `\p`
 * @throws LmError SCHEMA_INVALID for what is no regular expression
 */
export function patternLanguage(languages: Languages, pattern: string): Language {
  try {
    new RegExp(pattern, 'u')
  } catch (error) {
    throw new LmError('SCHEMA_INVALID', `pattern '${pattern}' is no regular expression: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return new PatternReader(languages, pattern).whole()
}

class PatternReader {
  readonly #languages: Languages
  readonly #pattern: string
  readonly #symbols: readonly string[]
  #at = 0

  constructor(languages: Languages, pattern: string) {
    this.#languages = languages
    this.#pattern = pattern
    this.#symbols = Array.from(pattern)
  }

  /** Alternatives that may begin and end anywhere, unless they are anchored. */
  whole(): Language {
    const around = this.#languages.repeat(characters(this.#languages, everything))
    const options: Language[] = []
    do {
      const start = this.#take('^')
      const body = this.#sequence()
      const end = this.#take('$')
      options.push(this.#languages.sequence(start ? this.#languages.end : around, body, end ? this.#languages.end : around))
    } while (this.#take('|'))
    if (this.#at < this.#symbols.length) throw this.#unsupported(`'${this.#symbols[this.#at]}' in this place`)
    return this.#languages.either(...options)
  }

  #alternatives(): Language {
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    return this.#languages.either(...options)
  }

  #sequence(): Language {
    const parts: Language[] = []
    while (this.#at < this.#symbols.length && !'|)$'.includes(this.#symbols[this.#at]!)) parts.push(this.#quantified())
    return this.#languages.sequence(...parts)
  }

  #quantified(): Language {
    const atom = this.#atom()
    const [min, max] = this.#quantifier()
    // Lazy or not, the strings are the same.
    if (min !== 1 || max !== 1) this.#take('?')
    return this.#languages.repeat(atom, min, max)
  }

  #quantifier(): readonly [min: number, max: number] {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.#take('?')) return [0, 1]
    if (!this.#take('{')) return [1, 1]
    const [min, max = min] = this.#until('}').split(',') as [string, string?]
    return [Number(min), max === '' ? Number.POSITIVE_INFINITY : Number(max)]
  }

  #atom(): Language {
    if (this.#take('(')) {
      if (this.#take('?') && !this.#take(':')) throw this.#unsupported('a group that begins with (?')
      const inside = this.#alternatives()
      if (!this.#take(')')) throw this.#unsupported('$ within a group')
      return inside
    }
    if (this.#take('[')) return characters(this.#languages, this.#class())
    if (this.#take('.')) return characters(this.#languages, anyButLineEnd)
    if (this.#take('\\')) return characters(this.#languages, this.#escape())
    const symbol = this.#symbols[this.#at++]!
    if (symbol === '^') throw this.#unsupported('^ behind the beginning')
    const code = symbol.codePointAt(0)!
    return characters(this.#languages, [[code, code]])
  }

  #class(): readonly CodePoints[] {
    const negated = this.#take('^')
    const ranges: CodePoints[] = []
    while (!this.#take(']')) {
      const first = this.#member()
      const isRange = this.#symbols[this.#at] === '-' && this.#symbols[this.#at + 1] !== ']'
      if (!isRange) ranges.push(...first)
      else {
        this.#at++
        ranges.push([first[0]![0], this.#member()[0]![1]])
      }
    }
    return negated ? complement(ranges) : ranges
  }

  #member(): readonly CodePoints[] {
    if (this.#take('\\')) return this.#take('b') ? [[8, 8]] : this.#escape()
    const code = this.#symbols[this.#at++]!.codePointAt(0)!
    return [[code, code]]
  }

  /** What stands behind a backslash. */
  #escape(): readonly CodePoints[] {
    const symbol = this.#symbols[this.#at++]!
    const known = classes[symbol]
    if (known) return known
    const code = controls[symbol] ?? this.#codeOf(symbol)
    return [[code, code]]
  }

  #codeOf(symbol: string): number {
    if (symbol === 'x') return this.#hex(2)
    if (symbol === 'u') return this.#take('{') ? Number.parseInt(this.#until('}'), 16) : this.#utf16()
    if (symbol === 'c') return this.#symbols[this.#at++]!.codePointAt(0)! % 32
    if (/[\w]/.test(symbol)) throw this.#unsupported(`\\${symbol}`)
    return symbol.codePointAt(0)!
  }

  /** Two escaped surrogates in a row are one character. */
  #utf16(): number {
    const unit = this.#hex(4)
    const low = /^\\u(d[c-f][0-9a-f]{2})/i.exec(this.#symbols.slice(this.#at, this.#at + 6).join(''))?.[1]
    if (unit >> 10 !== 0xd800 >> 10 || low === undefined) return unit
    this.#at += 6
    return String.fromCharCode(unit, Number.parseInt(low, 16)).codePointAt(0)!
  }

  #hex(length: number): number {
    this.#at += length
    return Number.parseInt(this.#symbols.slice(this.#at - length, this.#at).join(''), 16)
  }

  #until(end: string): string {
    const start = this.#at
    this.#at = this.#symbols.indexOf(end, start) + 1
    return this.#symbols.slice(start, this.#at - 1).join('')
  }

  #take(symbol: string): boolean {
    if (this.#symbols[this.#at] !== symbol) return false
    this.#at++
    return true
  }

  #unsupported(what: string): LmError {
    return new LmError(
      'SCHEMA_UNSUPPORTED',
      `pattern '${this.#pattern}' has ${what}, which generation cannot follow. Write it with classes, groups, | and quantifiers.`,
    )
  }
}
