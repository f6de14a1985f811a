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

test('a module bound to the processor takes no memory of a GPU', () => {
  const bound = manifest('a', { resources: { vram: '6GB', device: 'cpu' } })
  expect(plan({ load: ['a'] }, stateOf([bound])).ok).toBe(true)
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

const provider = (
  id: string,
  version: string,
  rest: { priority?: number } & Omit<Parameters<typeof manifest>[1] & object, 'provides'> = {},
) => {
  const { priority = 50, ...more } = rest
  return manifest(id, { ...more, version, provides: [{ capability: 'c', version, cardinality: 'shared', priority }] })
}

/** Which module 'user' is bound to for 'c@^1', and what is loaded for it. */
function chosen(providers: readonly ReturnType<typeof manifest>[], rest: Parameters<typeof stateOf>[1] = {}): string {
  const result = plan({ load: ['user'] }, stateOf([...providers, manifest('user', { requires: ['c@^1'] })], rest))
  return result.ok ? result.steps.at(-1)!.bindings[0]! : result.reason
}

test('of two providers the higher id comes last, the higher version first', () => {
  expect(chosen([provider('b', '1.0.0'), provider('a', '1.0.0')])).toBe('a')
  expect(chosen([provider('b', '1.2.0'), provider('a', '1.0.0')])).toBe('b')
})

test('priority goes before version', () => {
  expect(chosen([provider('a', '1.2.0'), provider('b', '1.0.0', { priority: 60 })])).toBe('b')
})

test('what fits the hardware goes before priority', () => {
  const big = provider('big', '1.0.0', { priority: 90, resources: { gpu: 'preferred', vram: '6GB' } })
  const small = provider('small', '1.0.0')
  const onGpu = (vram: number) => ({ capacity: { ram: 8 * gigabyte, vram: vram * gigabyte, gpu: true } })
  expect(chosen([big, small], onGpu(8))).toBe('big')
  expect(chosen([big, small], onGpu(4))).toBe('small')
  expect(chosen([big, small])).toBe('small')
  expect(chosen([big])).toBe('big')
})

test('what is loaded goes before what fits and what has priority', () => {
  const loaded = provider('loaded', '1.0.0', { resources: { gpu: 'preferred', vram: '6GB' } })
  expect(chosen([loaded, provider('a', '1.2.0', { priority: 90 })], { up: ['loaded'] })).toBe('loaded')
})

test('the choice of the user goes before what is loaded, and gives way when it cannot be had', () => {
  const prefer = new Map([['c', 'wish']])
  const wish = provider('wish', '1.0.0', { priority: 1 })
  expect(chosen([wish, provider('loaded', '1.2.0')], { up: ['loaded'], prefer })).toBe('wish')
  expect(chosen([wish, provider('loaded', '1.2.0')], { up: ['loaded'], prefer, disabled: new Set(['wish']) })).toBe('loaded')
  expect(chosen([provider('wish', '2.0.0'), provider('a', '1.0.0')], { prefer })).toBe('a')
  // Where only one can be bound, the one that is loaded stays.
  const exclusive = (id: string) => manifest(id, { provides: ['c'] })
  expect(chosen([exclusive('wish'), exclusive('loaded')], { up: ['loaded'], prefer })).toBe('loaded')
})

test('the lock goes before the choice of the user: the module bound to the capability, then one at its locked version', () => {
  const prefer = new Map([['c', 'wish']])
  const all = [provider('wish', '1.2.0'), provider('locked', '1.0.0'), provider('same', '1.1.0')]
  const lock = { bindings: new Map([['c', 'locked']]), versions: new Map([['same', '1.1.0']]) }
  expect(chosen(all, { prefer, lock, up: ['wish'] })).toBe('locked')
  expect(chosen(all, { prefer, lock, up: ['wish'], disabled: new Set(['locked']) })).toBe('same')
  const moved = { bindings: new Map(), versions: new Map([['same', '1.0.9']]) }
  expect(chosen(all, { prefer, lock: moved, up: ['locked'] })).toBe('wish')
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

test('a manifest for a later interface, a remote one in the cloud, or a disabled module is refused with its own code', () => {
  const code = (m: ReturnType<typeof manifest>, rest = {}) => {
    const result = plan({ load: [m.id] }, stateOf([m], rest))
    return result.ok ? 'ok' : result.code
  }
  expect(code(manifest('a', { api: '2.0' }))).toBe('API_MISMATCH')
  expect(code(manifest('a', { api: '1.9' }))).toBe('API_MISMATCH')
  expect(code(manifest('a', { runtime: 'remote', entry: 'https://example.com/mcp' }))).toBe('CLOUD_REFUSED')
  expect(code(manifest('a', { runtime: 'remote', entry: 'http://localhost:3000/mcp' }))).toBe('ok')
  expect(code(manifest('a'), { disabled: new Set(['a']) })).toBe('DISABLED')
})

test('a chain of thousands of modules is planned without exhausting the stack', () => {
  const all = Array.from({ length: 5000 }, (_, i) => manifest(`m${i}`, i === 0 ? {} : { requires: [`m${i - 1}`] }))
  expect(order(plan({ load: ['m4999'] }, stateOf(all)))).toHaveLength(5000)
})

test('unified memory is one pool: what the GPU takes, the processor lacks', () => {
  const a = manifest('a', { resources: { ram: '3GB', vram: '3GB' } })
  const b = manifest('b', { requires: ['a'], resources: { ram: '3GB' } })
  const pool = (size: number) => ({ capacity: { ram: size * gigabyte, vram: size * gigabyte, gpu: true, unified: true } })
  expect(plan({ load: ['a'] }, stateOf([a], pool(6))).ok).toBe(true)
  expect(reason(plan({ load: ['a'] }, stateOf([a], pool(5))))).toMatch(/^Module requires 3072MB RAM, only 2048MB available/)
  expect(plan({ load: ['b'] }, stateOf([a, b], pool(9))).ok).toBe(true)
  expect(plan({ load: ['b'] }, stateOf([a, b], pool(8))).ok).toBe(false)
})

test('the cause of a refusal is told from the goal down, each line once, then who would fit', () => {
  const chat = manifest('chat', { provides: ['chatting'], requires: ['text-generation@^1', 'memory'] })
  const memory = manifest('memory', { resources: { ram: '1GB' } })
  const local = manifest('inference', { provides: ['text-generation'], resources: { ram: '6GB' } })
  const chatApi = manifest('chat-api', { provides: ['chatting'] })
  const capacity = { ram: 2 * gigabyte, vram: 0, gpu: false }
  const result = plan({ load: ['chat'] }, stateOf([chat, memory, local, chatApi], { capacity }))
  expect(reason(result)).toBe(
    "Required module 'text-generation@^1' cannot be loaded: 'chat' needs 'text-generation@^1'; inference: Module requires 6144MB RAM, " +
      'only 2048MB available. Unload a module that holds RAM, or take a smaller model. Alternatives that fit: chat-api.',
  )
  expect(result).toMatchObject({
    code: 'NO_RAM',
    module: 'chat',
    chain: ['chat', 'text-generation@^1'],
    because: [
      { kind: 'goal', module: 'chat' },
      { kind: 'requires', module: 'chat', what: 'text-generation@^1' },
      { kind: 'ram', module: 'inference' },
    ],
    alternatives: ['chat-api'],
  })
})

test('a cause of several modules names them all', () => {
  const sized = (id: string, ram: string, requires: string[] = []) => manifest(id, { requires, resources: { ram } })
  const all = [sized('user', '3GB', ['a', 'b', 'c']), sized('a', '3GB'), sized('b', '1GB'), sized('c', '3GB')]
  expect(reason(plan({ load: ['user'] }, stateOf(all)))).toContain(
    "c: Module requires 3072MB RAM, only 2048MB available beside 'user' (3072MB), 'a' (3072MB)",
  )
  const circle = [
    manifest('a', { requires: ['x'] }),
    manifest('p', { provides: ['x'], requires: ['a'] }),
    manifest('q', { provides: ['x'], cloud: true }),
  ]
  expect(reason(plan({ load: ['a'] }, stateOf(circle)))).toContain('circular dependency a -> p -> a; q: Module requires external')
})

test('choices that have nothing to do with a failure are not tried again', () => {
  // 40 needs with three providers each, then one that cannot be met: 3^40 ways to fail alike.
  const shared = (id: string, capability: string, more = {}) =>
    manifest(id, { ...more, provides: [{ capability, cardinality: 'shared' }] })
  const needs = Array.from({ length: 40 }, (_, i) => `c${i}`)
  const providers = needs.flatMap((need) => ['a', 'b', 'c'].map((name) => shared(`${need}-${name}`, need)))
  const user = manifest('user', { requires: [...needs, 'nothing'] })
  expect(plan({ load: ['user'] }, stateOf([user, ...providers]))).toMatchObject({
    code: 'NO_PROVIDER',
    because: [{ kind: 'goal' }, { kind: 'requires', what: 'nothing' }],
  })
  // The same with a failure that follows from the first choice: only that one is changed.
  const rival = manifest('last', { conflicts: ['c0-a', 'c0-b'] })
  const late = manifest('user', { requires: [...needs, 'last'] })
  expect(order(plan({ load: ['user'] }, stateOf([late, rival, ...providers])))).toContain('c0-c')
})

test('a graph made to defeat any search is refused in bounded time', { timeout: 60_000 }, () => {
  // More pigeons than holes: each user needs a hole for itself.
  const holes = Array.from({ length: 11 }, (_, i) => `h${i}`)
  const pigeons = Array.from({ length: 12 }, (_, i) => `p${i}`)
  const rooms = pigeons.flatMap((pigeon) =>
    holes.map((hole) => manifest(`${pigeon}-${hole}`, { provides: [{ capability: pigeon, cardinality: 'shared' }, hole] })),
  )
  const result = plan({ load: ['user'] }, stateOf([manifest('user', { requires: pigeons }), ...rooms]))
  expect(result).toMatchObject({ code: 'TOO_COMPLEX', because: [] })
  expect(reason(result)).toContain('Load some of its requirements yourself first')
})
