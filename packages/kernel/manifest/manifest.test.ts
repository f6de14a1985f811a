import { expect, test } from 'vitest'
import { ManifestReader, parseRequirement } from './manifest-read.js'

const reader = new ManifestReader()

function problems(text: string): string[] {
  const result = reader.read(text)
  return result.ok ? [] : result.problems.map(({ message }) => message)
}

test('a full manifest is read with sizes in bytes and durations in milliseconds', () => {
  const result = reader.read(`
id: image-gen-local
name: Image generation (local)
version: 1.0.0
kind: plugin
category: generation
api: "1.0"
entry: ./dist/index.js
requires: [ "text_generation@^1" ]
after: [ logger ]
provides:
  - { capability: image-generation, version: "1.2", cardinality: exclusive, priority: 60 }
  - streaming
cloud: { unlessLoopback: baseUrl }
resources: { ram: 2GB, vram: 512MB, gpu: preferred, threads: 2 }
permissions: { net: [ "example.com" ] }
lifecycle: { loadTimeout: 120s, stopTimeout: 500ms, restart: on-failure }
config: { type: object, properties: { steps: { type: integer, minimum: 1, maximum: 150, default: 30 } } }
contributes:
  commands: [ { name: generate, description: Make an image } ]
x-note: free
`)
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join())
  const { manifest } = result
  expect(manifest.requires).toEqual([{ capability: 'text-generation', range: '^1', text: 'text-generation@^1' }])
  expect(manifest.provides).toEqual([
    { capability: 'image-generation', version: '1.2.0', cardinality: 'exclusive', priority: 60 },
    { capability: 'streaming', version: '1.0.0', cardinality: 'exclusive', priority: 50 },
  ])
  expect(manifest.resources).toEqual({ ram: 2 * 2 ** 30, vram: 512 * 2 ** 20, gpu: 'preferred', device: 'auto', threads: 2 })
  expect(manifest.lifecycle).toEqual({
    loadTimeout: 120_000,
    startTimeout: 60_000,
    stopTimeout: 500,
    heartbeat: 15_000,
    restart: 'on-failure',
    evictable: false,
  })
  expect(manifest.contributes.commands[0]!.entry).toBe('./dist/cli/generate.js')
  expect(manifest.extra).toEqual({ 'x-note': 'free' })
})

test('an id and a version are enough', () => {
  const result = reader.read('id: a\nversion: 1.0.0')
  expect(result.ok && [result.manifest.kind, result.manifest.category, result.manifest.runtime]).toEqual([
    'plugin',
    'extension',
    'inproc',
  ])
})

test('an unknown key is an error with a suggestion, at any depth', () => {
  expect(problems('id: a\nversion: 1.0.0\nrequirse: [b]')).toEqual(["unknown key 'requirse'; did you mean 'requires'?"])
  expect(problems('id: a\nversion: 1.0.0\nresources: { rma: 1GB }')).toEqual(["unknown key 'resources.rma'; did you mean 'ram'?"])
})

test('every problem is reported, not only the first', () => {
  const found = problems('id: a\nversion: one\nkind: servce\ncategry: core\nresources: { ram: much }')
  expect(found).toHaveLength(3)
  expect(found.join('\n')).toContain("'kind' must be one of service, daemon, plugin (got \"servce\"); did you mean 'service'?")
  expect(found.join('\n')).toContain("unknown key 'categry'; did you mean 'category'?")
  expect(problems('id: a\nversion: 1.0.0\nresources: { ram: much }\nlifecycle: { loadTimeout: soon }')).toEqual([
    "'resources.ram' is no size; write it as 512MB or 2GB",
    "'lifecycle.loadTimeout' is no duration above 0; write it as 500ms, 30s or 2m",
  ])
})

test.each([
  ['', 'a manifest is a map with at least id and version'],
  ['- a', 'a manifest is a map with at least id and version'],
  ['id: [', 'not readable as YAML'],
  ['id: a', "missing key 'version'; add it"],
  ['id: A b\nversion: 1.0.0', "'id' must look like"],
  ['id: a\nversion: 1.0.0\nrequires: ["b@nonsense"]', 'whose range is not semver'],
  ['id: a\nversion: 1.0.0\nrequires: [a]', "'requires' names the module itself"],
  ['id: a\nversion: 1.0.0\nconfig: { steps: 3 }', "missing key 'config.type'"],
])('the bad manifest %j is refused', (text, expected) => {
  expect(problems(text).join()).toContain(expected)
})

test('the seed dialect is read: type, scalar provides, singleton, cli.commands, plain config values', () => {
  process.env.ENIGMA_TEST_HOST = 'example.org'
  const result = reader.read(`
name: auth_oauth2
type: plugin
version: 1.0.0
description: Brief description of the module
singleton: true
provides: auth
requires: [ logger, config ]
config: { key: value, host: "\${ENIGMA_TEST_HOST:-localhost}", port: 8080, missing: "\${ENIGMA_TEST_NONE:-fallback}" }
cli:
  commands:
    - name: status
      description: Show module status
`)
  delete process.env.ENIGMA_TEST_HOST
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join())
  const { manifest } = result
  expect([manifest.id, manifest.kind, manifest.provides[0]!.capability]).toEqual(['auth-oauth2', 'plugin', 'auth'])
  expect(manifest.requires.map(({ capability }) => capability)).toEqual(['logger', 'config'])
  expect(manifest.contributes.commands[0]!.name).toBe('status')
  const properties = manifest.config!.properties as Record<string, { default: unknown }>
  expect(Object.fromEntries(Object.entries(properties).map(([key, { default: preset }]) => [key, preset]))).toEqual({
    key: 'value',
    host: 'example.org',
    port: 8080,
    missing: 'fallback',
  })
})

test('a wrong type in the seed dialect is named', () => {
  expect(problems('name: a\ntype: deamon\nversion: 1.0.0').join()).toContain(
    'must be one of service, daemon, plugin (got "deamon"); did you mean',
  )
})

test('requirements are names with an optional semver range', () => {
  expect(parseRequirement('model')).toEqual({ capability: 'model', range: '*', text: 'model' })
  expect(parseRequirement('Text_Generation@>=1.2 <3')?.text).toBe('text-generation@>=1.2 <3')
  expect(parseRequirement('a@b@c')).toBeUndefined()
})

test('a device is auto, cpu or a GPU by its number; a module on the CPU asks for no GPU memory', () => {
  const resources = (text: string) => {
    const result = reader.read(`id: a\nversion: 1.0.0\nresources: ${text}`)
    return result.ok ? result.manifest.resources : result.problems.map(({ message }) => message).join()
  }
  expect(resources('{ vram: 2GB, device: gpu:1 }')).toMatchObject({ vram: 2 * 2 ** 30, device: 'gpu:1' })
  expect(resources('{ vram: 2GB, device: cpu }')).toMatchObject({ vram: 0, device: 'cpu' })
  expect(resources('{ vram: 2GB }')).toMatchObject({ device: 'auto' })
  expect(resources('{ gpu: required, device: cpu }')).toContain("'resources.device' is cpu, but 'resources.gpu' is required")
  expect(resources('{ device: tpu }')).toContain('resources.device')
})
