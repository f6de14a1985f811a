import { beforeAll, expect, it } from 'vitest'
import { smallTokenizer } from '../../data/data.test.support.js'
import type { Tokenizer } from '../../tokenizer/index.js'
import { GrammarCache } from './grammar-cache.js'
import { GrammarConstraint } from './grammar-constraint.js'
import type { JsonSchema } from './json-schema.js'
import { Languages } from './language.js'
import { anyText } from './literals.js'

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await smallTokenizer()
})

/** Time and memory for one schema, whatever it is: an answer within moments. */
const begin = (schema: unknown) =>
  new GrammarConstraint(new GrammarCache(tokenizer).of(schema as JsonSchema), [0], 64, (id) => tokenizer.tokenBytes(id))

const each = (count: number, value: (index: number) => unknown) => Array.from({ length: count }, (_, index) => value(index))
const nested = (depth: number): unknown => each(depth, () => 0).reduce((items) => ({ type: 'array', items, minItems: 1 }), true)
/** Definitions in levels, each of which names the next one several times. */
const levels = (name: string, type: string) =>
  Object.fromEntries(
    each(4, (at) => [
      name + at,
      at === 3 ? { type } : { anyOf: each(30, () => ({ $ref: `#/$defs/${name}${Number(at) + 1}` })) },
    ]) as [string, unknown][],
  )

it.each([
  [
    'thousands of optional properties',
    { properties: Object.fromEntries(each(6000, (at) => [`p${at}`, true]) as [string, unknown][]) },
  ],
  ['arrays in arrays', nested(900)],
  ['more of them than a stack holds', nested(20_000)],
  ['counted counts', { type: 'string', pattern: '^((a?){100}){100}$', minLength: 200 }],
  ['a pattern of a million states and a length', { type: 'string', pattern: '^(a|b)*a(a|b){18}$', maxLength: 1000 }],
  [
    'oneOf over branches of branches',
    { $defs: { ...levels('a', 'string'), ...levels('b', 'integer') }, oneOf: [{ $ref: '#/$defs/a0' }, { $ref: '#/$defs/b0' }] },
  ],
])('%s are refused, not computed for ever', (_, schema) => {
  expect(() => begin(schema)).toThrow(expect.objectContaining({ code: 'SCHEMA_UNSUPPORTED' }))
})

it.each([
  ['a required property without a name', { required: [null] }],
  ['items that are no schema', { items: null }],
  ['a reference that is no percent-encoding', { $ref: '#/%E0%A4%A' }],
  ['what JSON has no words for', { const: 10n }],
])('%s is an invalid schema', (_, schema) => {
  expect(() => begin(schema)).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }))
})

it('a list of fifty thousand texts is read as one of fifty', () => {
  const list = each(50_000, (at) => `word ${at}`)
  expect(begin({ enum: list }).complete).toBe(false)
})

it('texts share what they begin with, and are told apart behind it', () => {
  const languages = new Languages()
  const texts = ['a', 'ab', 'abc', 'b', 'é', 'è', '']
  const language = anyText(languages, texts)
  const has = (text: string) => languages.has(language, new TextEncoder().encode(text))
  expect([...texts, 'ac', 'abcd', 'c', 'É'].filter(has)).toEqual(texts)
  expect(anyText(languages, [])).toBe(languages.nothing)
})
