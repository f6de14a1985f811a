import { Ajv, type ErrorObject } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manifestSchema } from './manifest-schema.js'
import { compileSchema } from './schema-walk.js'

const ours = compileSchema(manifestSchema)
const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, strictNumbers: true }).compile(manifestSchema)

/** What people are told, in any order; the schema's own path is Ajv's affair. */
function plain(errors: readonly ErrorObject[]) {
  return errors.map(({ schemaPath: _, ...error }) => error).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

function sortKey({ instancePath, keyword, params, message }: Omit<ErrorObject, 'schemaPath'>): string {
  return JSON.stringify([instancePath, keyword, params, message])
}

function agree(value: unknown): number {
  const found = ours(value)
  ajv(value)
  expect(plain(found)).toEqual(plain(ajv.errors ?? []))
  return found.length
}

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'a',
    'model',
    '1.0.0',
    '1.0',
    'x@^1',
    'inproc',
    'required',
    'string',
    'object',
    'é😀',
    null,
    true,
    false,
  ),
  fc.constantFrom<unknown>(0, -1, 1, 1.5, Number.POSITIVE_INFINITY, Number.NaN, 'x'.repeat(1001), 'not an id', '2GB'),
)
const names = [
  ...Object.keys(manifestSchema.properties),
  ...['capability', 'cardinality', 'priority', 'commands', 'options', 'console', 'unlessLoopback', 'ram', 'gpu', 'threads', 'fs'],
  ...['child', 'restart', 'loadTimeout', 'type', 'properties', 'alias', 'choices', 'x-free', 'x/~', 'mistyped', 'constructor'],
]
const tree = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  map: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6, noNullPrototype: true }),
})).value

const valid = {
  id: 'image-gen',
  version: '1.0.0',
  requires: ['memory@^1'],
  provides: ['a', { capability: 'b', version: '1.0', cardinality: 'shared', priority: 5 }],
  cloud: { unlessLoopback: 'url' },
  resources: { ram: '2GB', vram: 0, gpu: true, threads: 2 },
  permissions: { fs: ['a'], child: false },
  lifecycle: { loadTimeout: '2s', restart: 'always' },
  config: { type: 'object', properties: { a: { type: 'string' } } },
  contributes: { commands: [{ name: 'run', options: [{ name: 'n', type: 'number', default: 1 }] }], console: {} },
  'x-note': { anything: [1] },
}

test('a valid manifest has no errors', () => {
  expect(agree(valid)).toBe(0)
})

test('what is found is what Ajv finds, on any value', () => {
  const runs = process.env.ENIGMA_SOAK ? 20_000 : 1000
  fc.assert(
    fc.property(tree, (value) => void agree(value)),
    { numRuns: runs },
  )
})

test('what is found is what Ajv finds, on a manifest with one part replaced', () => {
  const runs = process.env.ENIGMA_SOAK ? 20_000 : 1000
  let wrong = 0
  const replaced = fc
    .record({ steps: fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), value: tree })
    .map(({ steps, value }) => {
      const copy: Record<string, unknown> = structuredClone(valid)
      let at = copy
      for (const [i, step] of steps.entries()) {
        const keys = Object.keys(at)
        const key = keys[step % keys.length]!
        const inner = at[key]
        if (i === steps.length - 1 || typeof inner !== 'object' || inner === null || Object.keys(inner).length === 0) {
          at[key] = value
          break
        }
        at = inner as Record<string, unknown>
      }
      return copy
    })
  fc.assert(
    fc.property(replaced, (value) => {
      if (agree(value) > 0) wrong++
    }),
    { numRuns: runs },
  )
  expect(wrong).toBeGreaterThan(runs / 4)
  expect(wrong).toBeLessThan(runs)
})

test('a keyword that is not known is refused, so that no rule of the schema is passed over', () => {
  expect(() => compileSchema({ type: 'object', properties: { a: { uniqueItems: true } } })).toThrow("no keyword 'uniqueItems'")
  expect(() => compileSchema({ additionalProperties: {} })).toThrow('additionalProperties: false only')
})
