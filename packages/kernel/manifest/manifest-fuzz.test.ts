import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { badManifest, ManifestReader } from './manifest-read.js'

// Whatever the bytes: a manifest, or problems with lines that become one coded error. Valid manifests are broken as text and as trees.

const runs = process.env.ENIGMA_SOAK ? 10_000 : 500
const reader = new ManifestReader()

const valid: readonly object[] = [
  {
    id: 'image-gen-local',
    version: '1.0.0',
    kind: 'plugin',
    category: 'generation',
    api: '1.0',
    entry: './dist/index.js',
    requires: ['text-generation@^1', 'model'],
    optional: ['memory'],
    provides: [{ capability: 'image-generation', version: '1.2', cardinality: 'exclusive', priority: 60 }, 'streaming'],
    cloud: { unlessLoopback: 'baseUrl' },
    resources: { ram: '2GB', vram: 512, gpu: 'preferred', threads: 2 },
    permissions: { fs: ['./data'], net: ['example.com'], child: false },
    lifecycle: { loadTimeout: '120s', restart: 'on-failure' },
    config: { type: 'object', properties: { steps: { type: 'integer', default: 30 }, key: { type: 'string', secret: true } } },
    contributes: { commands: [{ name: 'generate', options: [{ name: 'steps', type: 'number' }] }], console: { panel: 'image' } },
    'x-note': { any: ['thing', 1, null] },
  },
  {
    name: 'my_daemon',
    type: 'daemon',
    version: '1.0.0',
    singleton: true,
    provides: 'beats',
    dependencies: ['logger'],
    config: { interval: 5, host: 'localhost' },
    cli: { commands: [{ name: 'status', executor: './cli/status.js' }] },
  },
  { id: 'a', version: '1.0.0' },
]

const tokens = [
  '# words\n',
  ' ',
  '\n',
  'x',
  '1',
  '&a ', '*a', '<<: *a', '? ', '- ', ': ', '[', ']', '{', '}', ',', '|\n', '>-\n', '"', "'", '#', '\t', '\r', '\n\n', '---\n', '...\n',
  '%YAML 1.1\n---\n', '!!binary ', '!!set ', '!!js/function ', '!<x> ', '\0', '\u001b[2J', '"\\x1b"', '"\\u202e"', '\ufeff', '\u2028', '\ud800',
  '__proto__: {}', 'constructor: 1', '../../etc/passwd', '/etc/passwd', 'file:///x', '.nan', '.inf', '1e999', '0x1F', '0o17', 'null', '~', 'true',
  'id: b', 'version: one', '[[[[[[[[', '{a: {a: {a: ', '&a [*a]', '9'.repeat(400), 'x'.repeat(2000),
] // biome-ignore format: a list of tokens

/** A change somewhere in a text; `where` is a share of its length. */
const textChange = fc.oneof(
  fc.record({
    do: fc.constant('insert' as const),
    where: fc.double({ min: 0, max: 1, noNaN: true }),
    token: fc.constantFrom(...tokens),
  }),
  fc.record({
    do: fc.constant('cut' as const),
    where: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({
    do: fc.constant('repeat' as const),
    where: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ do: fc.constant('end' as const), where: fc.double({ min: 0, max: 1, noNaN: true }) }),
)

function changed(text: string, change: typeof textChange extends fc.Arbitrary<infer T> ? T : never): string {
  const at = Math.floor(change.where * text.length)
  if (change.do === 'insert') return text.slice(0, at) + change.token + text.slice(at)
  if (change.do === 'cut') return text.slice(0, at) + text.slice(at + change.length)
  if (change.do === 'repeat') return text.slice(0, at + change.length) + text.slice(at)
  return text.slice(0, at)
}

const weird = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    1.5,
    1e308,
    '',
    ' ',
    '../x',
    '\\..\\x',
    'a@',
    'a@^',
    '@',
    '9'.repeat(300),
    [],
    {},
    [[]],
    [null],
    [{}],
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

/** A change somewhere in a tree: one value becomes another, goes, or gets a sibling. */
const treeChange = fc.record({
  do: fc.constantFrom('replace', 'remove', 'add'),
  where: fc.nat({ max: 10_000 }),
  name: fc.constantFrom('id', 'type', '__proto__', 'toString', 'entry', 'a.b', '', 'name', 'x-x', '1'),
  value: weird,
})

function changedTree(tree: unknown, change: typeof treeChange extends fc.Arbitrary<infer T> ? T : never): unknown {
  const copy = structuredClone(tree)
  const places: [Record<string, unknown>, string][] = []
  const collect = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key])
      collect((node as Record<string, unknown>)[key])
    }
  }
  collect(copy)
  const place = places[change.where % Math.max(1, places.length)]
  if (!place) return copy
  const [node, key] = place
  if (change.do === 'remove') delete node[key]
  else {
    const name = change.do === 'add' && !Array.isArray(node) ? change.name : key
    Object.defineProperty(node, name, { value: change.value, enumerable: true, configurable: true, writable: true })
  }
  return copy
}

function holds(source: string | Uint8Array): 'read' | 'refused' {
  const result = reader.read(source)
  const lines = Buffer.from(source).toString('utf8').split('\n').length
  if (result.ok) {
    const { entry, runtime } = result.manifest
    expect(structuredClone(result.manifest).id).toMatch(/^[a-z0-9][a-z0-9-]*$/)
    expect(runtime === 'remote' || !/(^|[\\/])\.\.$|^[\\/]/.test(entry)).toBe(true)
    return 'read'
  }
  expect(result.problems.length).toBeGreaterThan(0)
  for (const { line, message } of result.problems) {
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(lines)
    // Nothing that steers a terminal gets into a message.
    expect([...message].every((letter) => letter >= ' ' || letter === '\n' || letter === '\t')).toBe(true)
    expect(message.length).toBeLessThan(2000)
  }
  const error = badManifest('m/module.yaml', result.problems)
  expect(['BAD_MANIFEST', 'PATH_ESCAPE']).toContain(error.code)
  expect(error.message).toMatch(/^m\/module\.yaml:\d+: ./)
  expect(error.line).toBe(result.problems[0]!.line)
  return 'refused'
}

test('text that was a manifest before it was broken is read or refused with a line', () => {
  const seen = { read: 0, refused: 0 }
  const property = fc.property(fc.constantFrom(...valid), fc.array(textChange, { maxLength: 3 }), (tree, changes) => {
    seen[holds(Buffer.from(changes.reduce(changed, stringify(tree)), 'utf8'))]++
  })
  fc.assert(property, { numRuns: runs })
  // Not everything is refused at the door: some of the damage reaches each layer.
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(runs / 50)
}, 600_000)

test('trees with wrong values are read or refused with a line', () => {
  const seen = { read: 0, refused: 0 }
  const property = fc.property(
    fc.constantFrom(...valid),
    fc.array(treeChange, { minLength: 1, maxLength: 4 }),
    (tree, changes) => {
      seen[holds(stringify(changes.reduce(changedTree, tree)))]++
    },
  )
  fc.assert(property, { numRuns: runs })
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(runs / 50)
}, 600_000)

test('objects given to register are read or refused, without lines', () => {
  const property = fc.property(
    fc.constantFrom(...valid),
    fc.array(treeChange, { minLength: 1, maxLength: 4 }),
    (tree, changes) => {
      const result = reader.normalise(changes.reduce(changedTree, tree))
      if (!result.ok) expect(badManifest('The manifest', result.problems).message).toMatch(/^The manifest: ./)
    },
  )
  fc.assert(property, { numRuns: runs })
}, 600_000)

test('any bytes are refused or read', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 })), (source) => {
      holds(source)
    }),
    { numRuns: runs },
  )
}, 600_000)
