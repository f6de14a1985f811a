import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { manifest } from '../testing/build.js'
import { ConfigChecker } from './config.js'

const schema = (more: object = {}) => ({ type: 'object', properties: { size: { type: 'integer', default: 3 } }, ...more })

test('defaults are filled in, the given object stays as it is', () => {
  const given = {}
  expect(new ConfigChecker().check(manifest('m', { config: schema() }), given)).toEqual({ size: 3 })
  expect(given).toEqual({})
})

test('two modules, or one that is reloaded, may use the same $id', () => {
  const checker = new ConfigChecker()
  for (const id of ['a', 'b', 'a']) {
    expect(checker.check(manifest(id, { config: schema({ $id: 'https://example.org/config.json' }) }), {})).toEqual({ size: 3 })
  }
})

test('schemas of modules that are gone are forgotten', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const checker = new ConfigChecker()
  const seen: WeakRef<object>[] = []
  for (let i = 0; i < 300; i++) {
    const module = manifest('m', { config: schema({ title: `reload ${i}` }) })
    checker.check(module, {})
    seen.push(new WeakRef(module.config!))
  }
  // A WeakRef is kept until the end of the turn that made it, and what a collection that runs already has marked until the next.
  const kept = () => {
    collect()
    return seen.filter((reference) => reference.deref() !== undefined).length
  }
  await expect.poll(kept, { timeout: 20_000 }).toBeLessThanOrEqual(64)
})

test.each([
  [{ properties: { a: { type: 'intger' } } }, /no valid JSON Schema/],
  [{ properties: { a: { $ref: 'https://example.org/elsewhere.json' } } }, /no valid JSON Schema: can't resolve reference/],
  [{ properties: { a: { type: 'string', pattern: '(' } } }, /no valid JSON Schema/],
])('the schema %j is refused as one', (more, message) => {
  const check = () => new ConfigChecker().check(manifest('m', { config: { type: 'object', ...more } }), { a: 'x' })
  expect(check).toThrow(expect.objectContaining({ code: 'BAD_MANIFEST' }))
  expect(check).toThrow(message)
})

test('a config that is no data is refused', () => {
  const check = () => new ConfigChecker().check(manifest('m', { config: schema() }), { size: () => 3 })
  expect(check).toThrow("Config of module 'm': it holds a value that is no data")
})
