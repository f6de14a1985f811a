import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LmError } from '../../errors.js'
import { Languages } from './language.js'
import { schemaLanguage } from './schema-language.js'

const accepts = (schema: unknown) => {
  const languages = new Languages()
  const language = schemaLanguage(languages, schema)
  return (text: string) => languages.has(language, new TextEncoder().encode(text))
}

describe('a schema allows', () => {
  it('values with or without a space behind commas and colons, properties in its order', () => {
    const has = accepts({ type: 'object', properties: { a: { type: 'null' }, b: { type: 'null' } }, required: ['b'] })
    expect(['{"b":null}', '{"a":null,"b":null}', '{"a": null, "b": null}'].map(has)).toEqual([true, true, true])
    expect(['{}', '{"b":null,"a":null}', '{"a":null}', '{"b":null,"c":1}', '{ "b":null}'].map(has)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })

  it('what the parts of allOf and $ref with neighbours allow together', () => {
    const has = accepts({
      $defs: { named: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
      allOf: [{ $ref: '#/$defs/named' }, { properties: { name: { maxLength: 1 }, age: { type: 'integer' } } }],
      required: ['age'],
    })
    expect(['{"name":"x","age":1}', '{"name":"xy","age":1}', '{"name":"x"}'].map(has)).toEqual([true, false, false])
  })

  it('recursion through combined schemas', () => {
    const has = accepts({
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { value: { type: 'integer' }, next: { allOf: [{ $ref: '#/$defs/node' }, { required: ['value'] }] } },
        },
      },
    })
    expect(['{}', '{"next":{"value":1,"next":{"value":2}}}', '{"next":{}}'].map(has)).toEqual([true, true, false])
    expect(() => accepts({ $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/a' }, { minLength: 1 }] } } })).toThrow(
      /leads back/,
    )
  })

  it('one branch of oneOf, told apart by a constant that all require', () => {
    const has = accepts({
      type: 'object',
      required: ['kind'],
      oneOf: [
        { properties: { kind: { const: 'circle' }, radius: { type: 'integer' } } },
        { properties: { kind: { const: 'square' }, side: { type: 'integer' } } },
      ],
    })
    expect(['{"kind":"circle","radius":1}', '{"kind":"square","radius":1}'].map(has)).toEqual([true, false])
    expect(() => accepts({ oneOf: [{ minLength: 1 }, { properties: { a: {} } }] })).toThrow(/may hold for one value/)
    expect(
      accepts({
        oneOf: [
          { type: 'integer', maximum: 3 },
          { type: 'number', minimum: 4 },
        ],
      })('4.5'),
    ).toBe(true)
  })

  it('constants that the other keywords beside them allow', () => {
    const has = accepts({ type: 'string', enum: ['a', 'bb', 1, 'ccc'], minLength: 2, pattern: 'b|c' })
    expect(['"a"', '"bb"', '1', '"ccc"'].map(has)).toEqual([false, true, false, true])
  })

  it('required properties that are not declared, with any value', () => {
    const has = accepts({ properties: { a: { type: 'null' } }, required: ['b'] })
    expect(['{"a":null,"b":[1]}', '{"b":"x"}', '{"a":null}', '{"b":1,"c":2}'].map(has)).toEqual([true, true, false, false])
  })

  it('names that propertyNames allows, declared or not', () => {
    const has = accepts({
      properties: { ab: {}, xyz: {} },
      additionalProperties: { type: 'null' },
      propertyNames: { maxLength: 2 },
    })
    expect(['{"ab":1}', '{"c":null}', '{"c":1}', '{"xyz":1}', '{"cde":null}'].map(has)).toEqual([true, true, false, false, false])
  })

  it('properties with the names of what every object has', () => {
    const has = accepts({
      allOf: [{ type: 'object', properties: { constructor: { type: 'null' } } }, { properties: { toString: { const: 1 } } }],
    })
    expect(has('{"constructor":null,"toString":1}')).toBe(true)
  })
})

it('any other JSON as a schema is a typed error or a language', () => {
  const keyword = fc.constantFrom(
    ...'type enum const anyOf oneOf allOf $ref properties required additionalProperties propertyNames items prefixItems minItems maxItems minLength pattern format minimum exclusiveMaximum $defs'.split(
      ' ',
    ),
  )
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>('string', 'object', 'array', '#', '#/$defs/a', null, true, false, -1, 2, 1e300, '(', 'date'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(keyword, fc.constantFrom('a', 'constructor')), tie('any'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).any
  fc.assert(
    fc.property(value, (schema) => {
      try {
        accepts(schema)('{}')
      } catch (error) {
        expect(error).toBeInstanceOf(LmError)
        expect((error as LmError).code).toMatch(/^SCHEMA_/)
      }
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 20_000 : 1000 },
  )
})
