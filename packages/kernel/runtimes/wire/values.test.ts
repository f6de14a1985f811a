import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode, type References } from './values.js'

const none: References = {
  bytes: 'base64',
  giveStream: () => 1,
  takeStream: () => {
    throw new Error('no streams here')
  },
  giveSignal: () => 1,
  takeSignal: () => new AbortController().signal,
}
const across = (value: unknown) => decode(JSON.parse(JSON.stringify(encode(value, none))), none)
const runs = process.env.ENIGMA_SOAK ? 4000 : 200

test('whatever structured clone takes of data comes back equal, hostile keys included', () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withObjectString: false,
    withNullPrototype: false,
    key: fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'constructor', 'then')),
  })
  fc.assert(
    fc.property(value, (given) => {
      expect(across(given)).toEqual(given)
    }),
    { numRuns: runs },
  )
})

test('a key __proto__ stays a key', () => {
  const made = across(JSON.parse('{"__proto__":{"admin":true}}')) as { admin?: boolean }
  expect(made.admin).toBeUndefined()
  expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
})

test('errors keep name, message, code and cause', () => {
  const given = Object.assign(new RangeError('too far', { cause: new Error('below') }), { code: 'FAR' })
  const back = across(given) as RangeError & { code: string }
  expect(back).toBeInstanceOf(RangeError)
  expect(back).toMatchObject({ name: 'RangeError', message: 'too far', code: 'FAR' })
  expect((back.cause as Error).message).toBe('below')
})

test('what cannot leave a process is refused by name and place', () => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  expect(() => encode({ options: { onToken() {} } }, none)).toThrow("'options.onToken' is a function")
  expect(() => encode(Symbol('x'), none)).toThrow('a symbol')
  expect(() => encode(cyclic, none)).toThrow('contains itself')
  expect(() => encode(() => 1, none)).toThrow(expect.objectContaining({ code: 'NOT_TRANSFERABLE' }))
})

test('any JSON at all is a value or a coded error, never a crash', () => {
  const kinds = [
    'bytes',
    'map',
    'set',
    'error',
    'date',
    'bigint',
    'url',
    'object',
    'signal',
    'number',
    'undefined',
    'x',
    'toString',
  ]
  const tagged = fc.record({ $: fc.constantFrom(...kinds), v: fc.jsonValue(), t: fc.jsonValue(), id: fc.jsonValue() })
  fc.assert(
    fc.property(fc.oneof(tagged, fc.jsonValue()), (json) => {
      try {
        decode(json, none)
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_MESSAGE' })
      }
    }),
    { numRuns: runs },
  )
  const trap = { toString: 0 }
  for (const tagged of [
    { $: trap },
    { $: 'number', v: trap },
    { $: 'object', v: [[trap, 1]] },
    { $: 'bytes', t: trap, v: '' },
    { $: 'error', v: { message: trap } },
  ])
    expect(() => decode(tagged, none)).toThrow('in another form than agreed')
  const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
  expect(() => decode(deep, none)).toThrow('nested too deeply')
})
