import { expect, test } from 'vitest'
import { parseRecorded } from '../../recorded-value.js'

test('what the command left is read back', () => {
  const value = { name: 'a', type: 'counter', value: 2, labels: { x: '1' } } as const
  expect(parseRecorded(JSON.stringify(value))).toEqual(value)
  expect(parseRecorded('{"name":"a","type":"gauge","value":1}').labels).toEqual({})
})

test.each([
  '',
  'null',
  '7',
  '[]',
  '{"name":"a"}',
  '{"name":1,"type":"gauge","value":1}',
  '{"name":"a","type":"summary","value":1}',
  '{"name":"a","type":"gauge","value":"1"}',
  '{"name":"a","type":"gauge","value":1,"labels":{"x":{}}}',
  '{"name":"a","type":"gauge","value":1,"labels":null}',
])('%j is refused', (text) => {
  expect(() => parseRecorded(text)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
})
