import { LmError } from '../../errors.js'
import type { Language, Languages } from './language.js'

/** Bounds of a number, as JSON schema has them. */
export interface Bounds {
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMinimum?: number | undefined
  readonly exclusiveMaximum?: number | undefined
}

/** A JSON number keeps 15 digits exactly; more could round to the wrong side of a bound. */
const mostDigits = 15
const largest = 10 ** mostDigits - 1

interface Limit {
  readonly value: number
  readonly exclusive: boolean
}

/** The languages of JSON numbers, without needless zeros and signs. */
export class NumberLanguages {
  readonly #languages: Languages
  readonly #digit: Language

  constructor(languages: Languages) {
    this.#languages = languages
    this.#digit = languages.byte([0x30, 0x39])
  }

  /** Whole numbers within bounds, of at most 15 digits. @throws LmError SCHEMA_UNSUPPORTED for bounds of more digits */
  integer(bounds: Bounds): Language {
    const { either, sequence, text } = this.#languages
    const { low, high } = limits(bounds)
    const from = low ? Math.ceil(low.value) + (low.exclusive && Number.isInteger(low.value) ? 1 : 0) : -largest
    const to = high ? Math.floor(high.value) - (high.exclusive && Number.isInteger(high.value) ? 1 : 0) : largest
    return either(
      to >= 0 && from <= to ? this.#natural(Math.max(0, from), to) : this.#languages.nothing,
      from < 0 && from <= to ? sequence(text('-'), this.#natural(Math.max(1, -to), -from)) : this.#languages.nothing,
    )
  }

  /** Numbers within bounds; with an exponent only where there are none. @throws LmError SCHEMA_UNSUPPORTED for bounds of more than 15 digits */
  number(bounds: Bounds): Language {
    const { either, sequence, text, optional, repeat, byte } = this.#languages
    const { low, high } = limits(bounds)
    if (!low && !high) {
      const exponent = sequence(byte(0x45, 0x65), optional(byte(0x2b, 0x2d)), repeat(this.#digit, 1, 2))
      const fraction = sequence(text('.'), repeat(this.#digit, 1, mostDigits))
      return sequence(optional(text('-')), this.#natural(0, largest), optional(fraction), optional(exponent))
    }
    const none = this.#languages.nothing
    const zero: Limit = { value: 0, exclusive: false }
    const positive = !high || high.value >= 0
    const negative = !low || low.value <= 0
    const above = low && low.value >= 0 ? low : zero
    const below = high && high.value <= 0 ? { ...high, value: -high.value } : zero
    const decimals = (from: Limit, to: Limit | undefined) => this.#decimals(from, to, bounds)
    return either(
      positive ? decimals(above, high) : none,
      negative ? sequence(text('-'), decimals(below, low && { ...low, value: -low.value })) : none,
    )
  }

  /** Whole numbers from one to another, neither negative. */
  #natural(from: number, to: number): Language {
    const { either, nothing } = this.#languages
    if (from > to) return nothing
    const options: Language[] = []
    for (let length = String(from).length; length <= String(to).length; length++) {
      const least = length === 1 ? 0 : 10 ** (length - 1)
      const low = String(Math.max(from, least))
      const high = String(Math.min(to, 10 ** length - 1))
      options.push(this.#between(low, high))
    }
    return either(...options)
  }

  /** Digits from one string to another of the same length, in order. */
  #between(low: string, high: string): Language {
    const { sequence, either, byte, repeat, text, nothing } = this.#languages
    if (/^0*$/.test(low) && /^9*$/.test(high)) return repeat(this.#digit, low.length, low.length)
    const [first, last, rest] = [low.charCodeAt(0), high.charCodeAt(0), low.length - 1]
    if (first === last) return sequence(byte(first), this.#between(low.slice(1), high.slice(1)))
    return either(
      sequence(text(low[0]!), this.#between(low.slice(1), '9'.repeat(rest))),
      last - first > 1 ? sequence(byte([first + 1, last - 1]), repeat(this.#digit, rest, rest)) : nothing,
      sequence(text(high[0]!), this.#between('0'.repeat(rest), high.slice(1))),
    )
  }

  /** Numbers without sign and exponent. */
  #decimals(from: Limit, to: Limit | undefined, bounds: Bounds): Language {
    const { sequence, either, both, text, optional, repeat } = this.#languages
    const [low, lowFraction] = decimal(from.value, bounds)
    const [high, highFraction] = to ? decimal(to.value, bounds) : [Math.max(low, 1e8) * 10 - 1, '']
    const places = mostDigits - String(high).length
    if (Math.max(lowFraction.length, highFraction.length, 1) > places) throw tooLong(bounds)
    const any = optional(sequence(text('.'), repeat(this.#digit, 1, places)))
    const least = this.#fractionFrom(lowFraction, from.exclusive, places)
    const most = to ? this.#fractionTo(highFraction, to.exclusive, places) : any
    if (low === high) return sequence(text(String(low)), both(least, most))
    if (low > high) return this.#languages.nothing
    return either(
      sequence(text(String(low)), least),
      sequence(this.#natural(low + 1, high - 1), any),
      sequence(text(String(high)), most),
    )
  }

  /** `.digits` of at least (or above) 0.fraction, or nothing for 0. */
  #fractionFrom(fraction: string, exclusive: boolean, places: number): Language {
    const { sequence, optional, text } = this.#languages
    const digits = sequence(text('.'), this.#digitsFrom(fraction, exclusive, places))
    if (fraction !== '' || exclusive) return digits
    return optional(sequence(text('.'), this.#languages.repeat(this.#digit, 1, places)))
  }

  #digitsFrom(fraction: string, exclusive: boolean, places: number): Language {
    const { sequence, either, byte } = this.#languages
    if (fraction === '' && !exclusive) return this.#languages.repeat(this.#digit, 0, places)
    if (places === 0) return this.#languages.nothing
    // Behind an exclusive bound, some digit must not be 0: as if the bound went on with 0 for ever.
    const first = fraction === '' ? 0x30 : fraction.charCodeAt(0)
    return either(
      sequence(byte([first + 1, 0x39]), this.#languages.repeat(this.#digit, 0, places - 1)),
      sequence(byte(first), this.#digitsFrom(fraction.slice(1), exclusive, places - 1)),
    )
  }

  /** `.digits` of at most (or below) 0.fraction, or nothing for 0. */
  #fractionTo(fraction: string, exclusive: boolean, places: number): Language {
    const { sequence, either, text, end, nothing } = this.#languages
    const zero = fraction === '' && exclusive ? nothing : end
    return either(zero, sequence(text('.'), this.#digitsTo(fraction, exclusive, places, true)))
  }

  #digitsTo(fraction: string, exclusive: boolean, places: number, first: boolean): Language {
    const { sequence, either, byte, end, nothing } = this.#languages
    if (fraction === '') return exclusive ? nothing : this.#languages.repeat(byte(0x30), first ? 1 : 0, places)
    const digit = fraction.charCodeAt(0)
    return either(
      first ? nothing : end,
      digit > 0x30 ? sequence(byte([0x30, digit - 1]), this.#languages.repeat(this.#digit, 0, places - 1)) : nothing,
      sequence(byte(digit), this.#digitsTo(fraction.slice(1), exclusive, places - 1, false)),
    )
  }
}

/**
 * The tighter of each two bounds, without those that no number of 15 digits is beyond.
 * @throws LmError SCHEMA_UNSUPPORTED where only longer numbers are within bounds
 */
function limits(bounds: Bounds): { low?: Limit; high?: Limit } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = bounds
  const low = tighter(minimum, exclusiveMinimum, (a, b) => a >= b)
  const high = tighter(maximum, exclusiveMaximum, (a, b) => a <= b)
  if ((low && low.value > largest) || (high && high.value < -largest)) throw tooLong(bounds)
  return { ...(low && low.value >= -largest && { low }), ...(high && high.value <= largest && { high }) }
}

function tighter(inclusive: number | undefined, exclusive: number | undefined, atLeast: (a: number, b: number) => boolean) {
  if (exclusive !== undefined && (inclusive === undefined || atLeast(exclusive, inclusive)))
    return { value: exclusive, exclusive: true }
  return inclusive === undefined ? undefined : { value: inclusive, exclusive: false }
}

/** A number of zero or more as its whole part and the digits behind the point, without trailing zeros. */
function decimal(value: number, bounds: Bounds): readonly [whole: number, fraction: string] {
  const [whole, fraction = ''] = String(value).split('.') as [string, string?]
  if (/e/i.test(String(value)) || whole.length > mostDigits) throw tooLong(bounds)
  return [Number(whole), fraction]
}

function tooLong(bounds: Bounds): LmError {
  const given = Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined))
  return new LmError(
    'SCHEMA_UNSUPPORTED',
    `Bounds ${JSON.stringify(given)} have more than ${mostDigits} digits before and behind the point. Round them.`,
  )
}
