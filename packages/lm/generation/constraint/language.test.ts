import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { complement, intersection, utf8 } from './code-points.js'
import { type Language, Languages } from './language.js'
import { NumberLanguages } from './number-language.js'
import { patternLanguage } from './pattern.js'
import { Shortest } from './shortest.js'
import { StringLanguages } from './string-language.js'

const runs = { numRuns: process.env.ENIGMA_SOAK ? 10_000 : 300 }
const bytes = (text: string) => new TextEncoder().encode(text)
const inside = (text: string) => JSON.stringify(text).slice(1, -1)

describe('a pattern', () => {
  const patterns = [
    '^a+$',
    '^(ab|a)*b?$',
    'b',
    '^[^ab]$',
    '^.{2,3}$',
    'é|^"\\\\$',
    '^\\w\\d?$',
    '\\s',
    '^(?:a{2}){1,2}$',
    '^a|b$',
    '^[a-c"]*$',
    '^[\\ud83e\\udd94a]\\ud83e\\udd94?$',
    '',
  ]
  it.each(patterns)('%j allows the strings in which the regular expression finds something, and no others', (pattern) => {
    const languages = new Languages()
    const language = patternLanguage(languages, pattern)
    const expression = new RegExp(pattern, 'u')
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', 'é', '"', '\\', '\n', ' ', '🦔'), maxLength: 6 }),
        (text) => {
          expect(languages.has(language, bytes(inside(text))), JSON.stringify(text)).toBe(expression.test(text))
        },
      ),
      runs,
    )
  })
})

it('code points are the UTF-8 of what they have, and of nothing else', () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 0x10ffff }), fc.nat({ max: 0x3000 }))
    .map(([from, more]) => [from, Math.min(0x10ffff, from + more)] as const)
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 3 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.nat(),
      (ranges, character, pick) => {
        const languages = new Languages()
        const near = ranges[pick % Math.max(1, ranges.length)]?.[pick % 2]
        for (const code of [character.codePointAt(0)!, near ?? 0x41, (near ?? 0x41) + 1]) {
          if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) continue
          const has = ranges.some(([from, to]) => from <= code && code <= to)
          const text = bytes(String.fromCodePoint(code))
          expect(languages.has(utf8(languages, ranges), text)).toBe(has)
          expect(languages.has(utf8(languages, complement(ranges)), text)).toBe(!has)
          expect(intersection(ranges, complement(ranges))).toEqual([])
        }
      },
    ),
    runs,
  )
})

describe('numbers', () => {
  const bound = fc.option(fc.integer({ min: -2500, max: 2500 }), { nil: undefined })
  it('whole ones are those within bounds', () => {
    fc.assert(
      fc.property(bound, bound, fc.boolean(), fc.integer({ min: -2600, max: 2600 }), (low, high, exclusive, value) => {
        const languages = new Languages()
        const language = new NumberLanguages(languages).integer(
          exclusive ? { exclusiveMinimum: low, exclusiveMaximum: high } : { minimum: low, maximum: high },
        )
        const above = low === undefined || (exclusive ? value > low : value >= low)
        const below = high === undefined || (exclusive ? value < high : value <= high)
        expect(languages.has(language, bytes(String(value)))).toBe(above && below)
      }),
      runs,
    )
  })

  it('others, too, with as many digits as they like', () => {
    const quarter = (value: number | undefined) => (value === undefined ? undefined : value / 40)
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.boolean(),
        fc.integer({ min: -65_000, max: 65_000 }),
        fc.nat({ max: 2 }),
        (low, high, exclusive, value, zeros) => {
          fc.pre(low !== undefined || high !== undefined)
          const [from, to] = [quarter(low), quarter(high)]
          const number = value / 1000
          const languages = new Languages()
          const language = new NumberLanguages(languages).number(
            exclusive ? { exclusiveMinimum: from, exclusiveMaximum: to } : { minimum: from, maximum: to },
          )
          const above = from === undefined || (exclusive ? number > from : number >= from)
          const below = to === undefined || (exclusive ? number < to : number <= to)
          const text = String(number).includes('.') ? `${number}${'0'.repeat(zeros)}` : String(number)
          expect(languages.has(language, bytes(text)), text).toBe(above && below)
        },
      ),
      runs,
    )
  })

  it('bounds that no number of 15 digits is beyond do not count; those beyond are refused', () => {
    const languages = new Languages()
    const numbers = new NumberLanguages(languages)
    expect(languages.has(numbers.integer({ minimum: -(2 ** 53), maximum: 2 ** 53 }), bytes('-999999999999999'))).toBe(true)
    expect(() => numbers.integer({ minimum: 2 ** 60 })).toThrow(/more than 15 digits/)
    expect(() => numbers.number({ minimum: 1e-9 })).toThrow(/more than 15 digits/)
  })
})

describe('a string', () => {
  it('has as many characters as it may, however they are written', () => {
    const languages = new Languages()
    const language = new StringLanguages(languages).string(2, 3)
    const has = (text: string) => languages.has(language, bytes(text))
    expect(['"ab"', '"🦔é漢"', '"\\u00e9\\n"', '"\\ud7ff\\\\"'].map(has)).toEqual([true, true, true, true])
    expect(['"a"', '"abcd"', '"a\n"', '"\\ud800a"', '"\\x41"', '"ab'].map(has)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ])
  })

  it('that names another property is none of those taken', () => {
    const languages = new Languages()
    const language = new StringLanguages(languages).nameOtherThan(['id', 'größe'])
    expect(['"id"', '"größe"', '"i"', '"id2"', '""'].map((text) => languages.has(language, bytes(text)))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })
})

describe('the shortest string', () => {
  const shortest = (make: (languages: Languages) => Language, writable = (_: number) => true) => {
    const languages = new Languages()
    const language = make(languages)
    const found = new Shortest(languages, writable)
    return found.length(language) === Number.POSITIVE_INFINITY ? undefined : new TextDecoder().decode(found.string(language))
  }

  it('is found through choices, repetitions and what two languages share', () => {
    expect(shortest(({ either, text }) => either(text('abc'), text('de')))).toBe('de')
    expect(shortest(({ repeat, text }) => repeat(text('ab'), 2, 5))).toBe('abab')
    expect(
      shortest((languages) => languages.both(patternLanguage(languages, '^(aab|aba)+$'), patternLanguage(languages, 'baa'))),
    ).toBe('aabaab')
    expect(shortest(({ both, text }) => both(text('a'), text('b')))).toBeUndefined()
  })

  it('is made of the bytes that can be written', () => {
    expect(
      shortest(
        ({ either, text }) => either(text('a'), text('bb')),
        (byte) => byte !== 0x61,
      ),
    ).toBe('bb')
    expect(
      shortest(
        ({ text }) => text('a'),
        (byte) => byte !== 0x61,
      ),
    ).toBeUndefined()
  })

  it('ends a recursion', () => {
    expect(
      shortest((languages) => {
        const rule = languages.rule()
        const { sequence, either, text } = languages
        rule.define(either(sequence(text('['), rule.language, text(']')), text('null')))
        return sequence(text('['), rule.language, text(']'))
      }),
    ).toBe('[null]')
    expect(
      shortest((languages) => {
        const rule = languages.rule()
        rule.define(languages.sequence(languages.text('['), rule.language))
        return rule.language
      }),
    ).toBeUndefined()
  })
})
