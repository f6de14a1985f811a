import { expect, test } from 'vitest'
import { llamaSchema } from '../../llama-schema.js'

test('schemas keep what a grammar can say', () => {
  const person = {
    type: 'object',
    title: 'A person',
    properties: {
      name: { type: 'string', maxLength: 9 },
      age: { type: ['integer', 'null'] },
      tags: { type: 'array', items: { enum: ['a', 1] } },
    },
    required: ['name'],
  }
  expect(llamaSchema(person)).toEqual({
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 9 },
      age: { oneOf: [{ type: 'integer' }, { type: 'null' }] },
      tags: { type: 'array', items: { enum: ['a', 1] } },
    },
    additionalProperties: false,
  })
  expect(llamaSchema({ $ref: '#/definitions/a', definitions: { a: { const: 1 } } })).toEqual({
    $ref: '#/$defs/a',
    $defs: { a: { const: 1 } },
  })
  expect(llamaSchema({ anyOf: [{ type: 'string' }, { const: 1 }] })).toEqual({ oneOf: [{ type: 'string' }, { const: 1 }] })
  expect(llamaSchema({ type: 'object' })).toEqual({ type: 'object', additionalProperties: true })
})

test('what a grammar would pass over is refused by name and place', () => {
  const refused: [unknown, string][] = [
    [false, "'false' in the schema"],
    [{ type: 'string', pattern: '^a' }, "'pattern' in the schema"],
    [{ type: 'number', minimum: 1 }, "'minimum' in the schema"],
    [{ type: 'object', properties: { a: { type: 'string', format: 'uri' } } }, "'format: uri' in the schema.a"],
    [{ type: 'array', uniqueItems: true }, "'uniqueItems' in the schema"],
    [{ type: 'array', items: { not: {} } }, "'not' in the schema.items"],
    [{ type: 'object', required: ['a'] }, "'required: a' in the schema"],
    [{ type: 'object', properties: { a: {} }, minProperties: 2 }, "'minProperties' in the schema"],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, "'oneOf' in the schema"],
    [{ allOf: [{}] }, "'allOf' in the schema"],
    [{ enum: [{ a: 1 }] }, `'enum: {"a":1}' in the schema`],
    [{ $ref: 'other.json' }, "'$ref: other.json' in the schema"],
    [{ type: 'string', enum: ['a'], maxLength: 1 }, "'maxLength' beside 'enum' in the schema"],
  ]
  for (const [schema, what] of refused)
    expect(() => llamaSchema(schema)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(what) }),
    )
})
