import { describe, expect, it } from 'vitest'
import { type FieldKind, fromText, kindOf, type Schema, toText } from './schema.js'

describe('settings from a JSON schema', () => {
  const kinds: readonly (readonly [Schema, FieldKind])[] = [
    [{ type: 'boolean' }, 'flag'],
    [{ type: 'string' }, 'text'],
    [{ type: 'string', enum: ['a', 'b'] }, 'choice'],
    [{ enum: ['cpu', 'cuda'] }, 'choice'],
    [{ enum: [1, 2] }, 'json'],
    [{ type: 'integer' }, 'number'],
    [{ type: 'array', items: { type: 'string' } }, 'lines'],
    [{ type: 'array', items: { enum: ['a'] } }, 'lines'],
    [{ type: 'array', items: { type: 'number' } }, 'json'],
    [{ type: 'object' }, 'json'],
    [{}, 'json'],
  ]
  it.each(kinds)('%j is asked for as %s', (schema, kind) => expect(kindOf(schema)).toBe(kind))

  const values: readonly (readonly [FieldKind, unknown])[] = [
    ['flag', false],
    ['text', 'x y'],
    ['number', 0],
    ['number', -1.5],
    ['lines', ['a', 'b c']],
    ['lines', []],
    ['json', { a: [1, null] }],
    ['json', undefined],
    ['text', undefined],
  ]
  it.each(values)('a %s of %j comes back as it was', (kind, value) => expect(fromText(kind, toText(kind, value))).toEqual(value))

  it('what is no JSON is an error', () => expect(() => fromText('json', '{')).toThrow(SyntaxError))
})
