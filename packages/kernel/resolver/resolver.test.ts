import { expect, test } from 'vitest'
import { gigabyte, manifest, stateOf } from '../testing/build.js'
import { plan } from './resolver.js'

const model = manifest('model', { provides: ['language-model'] })
const tokenizer = manifest('tokenizer', { provides: ['tokenization'] })
const inference = manifest('inference', { requires: ['model', 'tokenizer'], provides: ['text-generation', 'streaming'] })
const chatApi = manifest('chat-api', { provides: ['text-generation', 'streaming'], cloud: true })

function order(result: ReturnType<typeof plan>): string[] {
  if (!result.ok) throw new Error(result.reason)
  return result.steps.map((step) => step.manifest.id)
}

function reason(result: ReturnType<typeof plan>): string {
  if (result.ok) throw new Error(`planned ${result.steps.map((step) => step.manifest.id).join(', ')}`)
  return result.reason
}

test('a plan brings in the missing requirements first', () => {
  expect(order(plan({ load: ['inference'] }, stateOf([inference, tokenizer, model])))).toEqual([
    'model',
    'tokenizer',
    'inference',
  ])
})

test('what is loaded already is not planned again', () => {
  const all = [inference, tokenizer, model]
  expect(order(plan({ load: ['inference'] }, stateOf(all, { up: ['model'] })))).toEqual(['tokenizer', 'inference'])
  expect(order(plan({ load: ['model'] }, stateOf(all, { up: ['model'] })))).toEqual([])
})

test('a plan tells who needs each module and what it is bound to', () => {
  const result = plan({ load: ['inference'] }, stateOf([inference, tokenizer, model]))
  if (!result.ok) throw new Error(result.reason)
  expect(result.steps.map(({ neededBy, bindings }) => [neededBy?.module, bindings])).toEqual([
    ['inference', []],
    ['inference', []],
    [undefined, ['model', 'tokenizer']],
  ])
})

test('an unknown module is refused with a suggestion', () => {
  expect(reason(plan({ load: ['infrence'] }, stateOf([inference])))).toMatch(
    /^Module 'infrence' not registered; did you mean 'inference'\?/,
  )
})

test('strict refuses a missing requirement with the sentence of the seed', () => {
  const result = plan({ load: ['inference'], strict: true }, stateOf([inference, tokenizer, model]))
  expect(reason(result)).toMatch(/^Required module 'model' not loaded\. Load it first/)
})

test('a requirement that nothing provides names the chain', () => {
  expect(reason(plan({ load: ['inference'] }, stateOf([inference, model])))).toMatch(
    /^Required module 'tokenizer' not registered: 'inference' needs 'tokenizer', and nothing provides it/,
  )
})

test('a version outside the range counts as missing and says what there is', () => {
  const old = manifest('store', { provides: [{ capability: 'storage', version: '1.4.0' }] })
  const user = manifest('user', { requires: ['storage@^2'] })
  expect(reason(plan({ load: ['user'] }, stateOf([old, user])))).toContain('store offers 1.4.0')
})

test('cloud modules are refused while the manager is local-only', () => {
  expect(reason(plan({ load: ['chat-api'] }, stateOf([chatApi])))).toMatch(
    /^Module requires external cloud services\. Disable local_only mode to use cloud modules\./,
  )
  expect(plan({ load: ['chat-api'] }, stateOf([chatApi], { localOnly: false })).ok).toBe(true)
})

test('a loopback address makes a cloud module local', () => {
  const config = { type: 'object', properties: { url: { type: 'string', default: 'http://localhost:11434' } } }
  const ollama = manifest('ollama', { cloud: { unlessLoopback: 'url' }, config })
  expect(plan({ load: ['ollama'] }, stateOf([ollama])).ok).toBe(true)
  const configs = new Map([['ollama', { url: 'https://api.example.com' }]])
  expect(plan({ load: ['ollama'] }, stateOf([ollama], { configs })).ok).toBe(false)
})

test('hardware that is not there is refused with the sentences of the seed, in their order', () => {
  const gpu = manifest('a', { resources: { gpu: true, vram: '6000MB', ram: '100GB' } })
  expect(reason(plan({ load: ['a'] }, stateOf([gpu])))).toMatch(/^Module requires GPU but none available/)
  const capacity = { ram: 2 * gigabyte, vram: 2 * gigabyte, gpu: true }
  expect(reason(plan({ load: ['a'] }, stateOf([gpu], { capacity })))).toMatch(
    /^Module requires 6000MB VRAM, only 2048MB available/,
  )
  const ram = manifest('b', { resources: { ram: '3000MB' } })
  expect(reason(plan({ load: ['b'] }, stateOf([ram], { capacity })))).toMatch(
    /^Module requires 3000MB RAM, only 2048MB available/,
  )
})

test('a module that only prefers a GPU runs without one', () => {
  const local = manifest('a', { resources: { gpu: 'preferred', vram: '6GB' } })
  expect(plan({ load: ['a'] }, stateOf([local])).ok).toBe(true)
})

test('two modules that fit one by one are refused when they do not fit together', () => {
  const big = manifest('big', { resources: { ram: '5GB' } })
  const user = manifest('user', { requires: ['big'], resources: { ram: '4GB' } })
  expect(reason(plan({ load: ['user'] }, stateOf([big, user])))).toContain('Module requires 5120MB RAM, only 4096MB available')
})

test('a conflict holds whichever of the two names the other', () => {
  const a = manifest('a', { conflicts: ['b'] })
  const b = manifest('b')
  expect(reason(plan({ load: ['b'] }, stateOf([a, b], { up: ['a'] })))).toMatch(/^Module conflicts with loaded module 'a'/)
  expect(reason(plan({ load: ['a'] }, stateOf([a, b], { up: ['b'] })))).toMatch(/^Module conflicts with loaded module 'b'/)
})

test('a second provider of an exclusive capability is refused by name', () => {
  const state = stateOf([inference, tokenizer, model, chatApi], { up: ['model', 'tokenizer', 'inference'], localOnly: false })
  const result = plan({ load: ['chat-api'] }, state)
  expect(reason(result)).toBe("Capability 'text-generation' already provided by 'inference'. Unload it first.")
})

test('shared capabilities take any number of providers, one exclusive provider forbids the others', () => {
  const shared = (id: string) => manifest(id, { provides: [{ capability: 'tools', cardinality: 'shared' }] })
  const exclusive = manifest('c', { provides: ['tools'] })
  const all = [shared('a'), shared('b'), exclusive]
  expect(plan({ load: ['a', 'b'] }, stateOf(all)).ok).toBe(true)
  expect(plan({ load: ['a', 'c'] }, stateOf(all)).ok).toBe(false)
})

test('preference goes by what is loaded, the choice of the user, priority, version, id', () => {
  const provider = (id: string, version: string, priority?: number) =>
    manifest(id, { provides: [{ capability: 'c', version, cardinality: 'shared', ...(priority !== undefined && { priority }) }] })
  const all = [
    provider('w', '1.0.0'),
    provider('x', '1.2.0'),
    provider('z', '1.0.0', 60),
    provider('a', '1.2.0'),
    manifest('user', { requires: ['c@^1'] }),
  ]
  const chosen = (rest: Parameters<typeof stateOf>[1]) => {
    const result = plan({ load: ['user'] }, stateOf(all, rest))
    return result.ok ? result.steps.at(-1)!.bindings[0] : result.reason
  }
  expect(chosen({ up: ['w'] })).toBe('w')
  expect(chosen({ prefer: new Map([['c', 'x']]) })).toBe('x')
  expect(chosen({})).toBe('z')
  expect(chosen({ disabled: new Set(['z']) })).toBe('a')
  expect(chosen({ disabled: new Set(['z', 'a']) })).toBe('x')
})

test('a provider that cannot be loaded gives way to the next one', () => {
  const local = manifest('local', { provides: [{ capability: 'images', priority: 90 }], resources: { vram: '6GB', gpu: true } })
  const api = manifest('api', { provides: ['images'] })
  const user = manifest('user', { requires: ['images'] })
  expect(order(plan({ load: ['user'] }, stateOf([local, api, user])))).toEqual(['api', 'user'])
})

test('a refusal names the modules that would do instead', () => {
  const local = manifest('local', { provides: ['images'], resources: { vram: '6GB', gpu: true } })
  const api = manifest('api', { provides: ['images'] })
  const result = plan({ load: ['local'] }, stateOf([local, api]))
  expect(reason(result)).toMatch(/Alternatives that fit: api\.$/)
  expect(!result.ok && result.alternatives).toEqual(['api'])
})

test('when every provider is refused, each is named with its reason', () => {
  const local = manifest('local', { provides: ['text'], resources: { ram: '60GB' } })
  const cloud = manifest('cloud', { provides: ['text'], cloud: true })
  const chat = manifest('chat', { requires: ['text@^1'] })
  expect(reason(plan({ load: ['chat'] }, stateOf([local, cloud, chat])))).toMatch(
    /^Required module 'text@\^1' cannot be loaded: 'chat' needs 'text@\^1'; cloud: Module requires external.*; local: Module requires 61440MB RAM/,
  )
})

test('a cycle is named in full, the same whichever member is asked for', () => {
  const all = [manifest('a', { requires: ['b'] }), manifest('b', { requires: ['c'] }), manifest('c', { requires: ['a'] })]
  for (const id of ['a', 'b', 'c']) {
    expect(reason(plan({ load: [id] }, stateOf(all)))).toMatch(/^Circular dependency: a -> b -> c -> a\./)
  }
})

test('a second provider is taken when it avoids a cycle', () => {
  const shared = (version: string, priority: number) => [{ capability: 'c', version, cardinality: 'shared' as const, priority }]
  const p = manifest('p', { requires: ['user'], provides: shared('1.0.0', 90) })
  const q = manifest('q', { provides: shared('1.0.0', 10) })
  const user = manifest('user', { requires: ['c'] })
  expect(order(plan({ load: ['p'] }, stateOf([p, q, user])))).toEqual(['q', 'user', 'p'])
})

test('optional and after order what is there and bring in nothing', () => {
  const logger = manifest('logger')
  const memory = manifest('memory')
  const gui = manifest('gui', { optional: ['memory'], after: ['logger'] })
  expect(order(plan({ load: ['gui'] }, stateOf([gui, memory, logger])))).toEqual(['gui'])
  expect(order(plan({ load: ['gui', 'memory', 'logger'] }, stateOf([gui, memory, logger])))).toEqual(['memory', 'logger', 'gui'])
})

test('an ordering wish that would close a cycle is dropped', () => {
  const a = manifest('a', { after: ['b'] })
  const b = manifest('b', { requires: ['a'] })
  expect(order(plan({ load: ['a', 'b'] }, stateOf([a, b])))).toEqual(['a', 'b'])
})

test('a manifest for a later interface, another runtime, or a disabled module is refused with its own code', () => {
  const code = (m: ReturnType<typeof manifest>, rest = {}) => {
    const result = plan({ load: [m.id] }, stateOf([m], rest))
    return result.ok ? 'ok' : result.code
  }
  expect(code(manifest('a', { api: '2.0' }))).toBe('API_MISMATCH')
  expect(code(manifest('a', { api: '1.9' }))).toBe('API_MISMATCH')
  expect(code(manifest('a', { runtime: 'worker' }))).toBe('RUNTIME_UNSUPPORTED')
  expect(code(manifest('a'), { disabled: new Set(['a']) })).toBe('DISABLED')
})

test('a chain of thousands of modules is planned without exhausting the stack', () => {
  const all = Array.from({ length: 5000 }, (_, i) => manifest(`m${i}`, i === 0 ? {} : { requires: [`m${i - 1}`] }))
  expect(order(plan({ load: ['m4999'] }, stateOf(all)))).toHaveLength(5000)
})
