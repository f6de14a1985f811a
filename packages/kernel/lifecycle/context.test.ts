import { afterEach, expect, test } from 'vitest'
import { ServiceGone } from '../errors.js'
import type { ModuleManager } from '../manager/manager.js'
import { openManager, tracked } from '../testing/build.js'
import { token, unwrap } from './services.js'

// What a module may do through its context, and what goes with it.

interface Store {
  get(key: string): string
}
const Storage = token<Store>('storage', '1.0')
const Memory = token<Store>('memory', '1.0')

let open: ModuleManager | undefined
async function manager(): Promise<ModuleManager> {
  return (open = await openManager())
}
afterEach(async () => {
  await open?.shutdown()
  open = undefined
})

function store(m: ModuleManager, id: string, capability: string, used = token<Store>(capability)): void {
  m.register({
    manifest: { id, version: '1.0.0', provides: [{ capability, version: '1.0' }] },
    module: { load: (ctx) => ctx.provide(used, { get: (key) => `${id}:${key}` }) },
  })
}

test('use gives the service of the bound provider, by capability or by module', async () => {
  const m = await manager()
  store(m, 'disk', 'storage')
  const seen: string[] = []
  for (const [id, requirement] of [
    ['by-capability', 'storage@^1'],
    ['by-module', 'disk'],
  ] as const) {
    m.register({
      manifest: { id, version: '1.0.0', requires: [requirement] },
      module: {
        load: (ctx) => {
          seen.push(ctx.use(Storage).get(id), unwrap(ctx.use(Storage)).get('raw'))
        },
      },
    })
    await m.load(id)
  }
  expect(seen).toEqual(['disk:by-capability', 'disk:raw', 'disk:by-module', 'disk:raw'])
})

test('a service that the manifest does not name is refused with the line to add', async () => {
  const m = await manager()
  store(m, 'disk', 'storage')
  await m.load('disk')
  tracked(m, [], 'a', {}, { load: (ctx) => void ctx.use(Storage) })
  tracked(m, [], 'b', {}, { load: (ctx) => void ctx.maybe(Storage) })
  tracked(m, [], 'c', {}, { load: (ctx) => ctx.provide(Storage, { get: String }) })
  expect((await m.tryLoad('a')).reason).toContain("Add 'storage@^1.0' to 'requires'")
  expect((await m.tryLoad('b')).reason).toContain("Add 'storage' to 'optional'")
  expect((await m.tryLoad('c')).reason).toContain('Add { capability: storage, version: 1.0.0 }')
})

test('a provider that gives nothing, or another version, is named', async () => {
  const m = await manager()
  tracked(m, [], 'disk', { provides: ['storage'] })
  tracked(m, [], 'a', { requires: ['storage'] }, { load: (ctx) => void ctx.use(Storage) })
  expect((await m.tryLoad('a')).reason).toContain("Module 'disk' gave no implementation of 'storage', which 'a' uses")
  store(m, 'ram', 'memory', token<Store>('memory', '2.0'))
  tracked(m, [], 'b', { requires: ['memory'] }, { load: (ctx) => void ctx.use(Memory) })
  expect((await m.tryLoad('b')).reason).toContain("Module 'ram' offers 'memory' 2.0, 'b' asks for 1.0")
})

test('maybe follows an optional module as it comes and goes', async () => {
  const m = await manager()
  store(m, 'ram', 'memory')
  m.register({
    manifest: { id: 'chat', version: '1.0.0', optional: ['memory'] },
    module: { load: (ctx) => ({ look: () => ctx.maybe(Memory), ask: () => ctx.maybe(Memory)?.get('k') ?? 'none' }) },
  })
  await m.load('chat')
  const chat = m.getInterface<{ look(): Store | undefined; ask(): string }>('chat')
  expect(chat.ask()).toBe('none')
  await m.load('ram')
  expect(chat.ask()).toBe('ram:k')
  const held = chat.look()!
  await m.unload('ram')
  expect(chat.ask()).toBe('none')
  expect(() => held.get('k')).toThrow(ServiceGone)
})

test('listeners, timers, effects and services go with the module, newest first', async () => {
  const m = await manager()
  const log: string[] = []
  m.register({
    manifest: { id: 'a', version: '1.0.0', provides: ['storage'] },
    module: {
      load(ctx) {
        ctx.events.on('tick', () => log.push('tick'))
        ctx.timers.setInterval(() => log.push('interval'), 1)
        ctx.timers.setTimeout(() => log.push('timeout'), 1)
        ctx.effect('door', () => {
          log.push('opened')
          return () => log.push('closed')
        })
        ctx.onDispose(() => log.push('disposed'))
        ctx.provide(Storage, { get: String })
      },
      unload: () => void log.push('unload'),
    },
  })
  await m.load('a')
  expect(m.getModule('a').effects).toEqual(['on tick', 'setInterval', 'setTimeout', 'door', 'onDispose', 'provide storage'])
  m.events.emit('tick', 0)
  await m.unload('a')
  m.events.emit('tick', 0)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(log).toEqual(['opened', 'tick', 'unload', 'disposed', 'closed'])
})

test('what start registers goes at stop, what load registers stays', async () => {
  const m = await manager()
  const log: string[] = []
  m.register({
    manifest: { id: 'a', version: '1.0.0' },
    module: {
      load: (ctx) => void ctx.events.on('x', () => log.push('loaded')),
      start: (ctx) => void ctx.events.on('x', () => log.push('started')),
    },
  })
  await m.load('a')
  m.events.emit('x', 0)
  await m.stop('a')
  m.events.emit('x', 0)
  await m.start('a')
  m.events.emit('x', 0)
  expect(log).toEqual(['loaded', 'started', 'loaded', 'loaded', 'started'])
})

test('the signal is aborted at unload', async () => {
  const m = await manager()
  let signal: AbortSignal | undefined
  tracked(m, [], 'a', {}, { load: (ctx) => void (signal = ctx.signal) })
  await m.load('a')
  expect(signal?.aborted).toBe(false)
  await m.unload('a')
  expect(signal?.aborted).toBe(true)
})

test('the log of a module is kept as events', async () => {
  const m = await manager()
  tracked(m, [], 'a', {}, { load: (ctx) => ctx.log.warn('careful', { n: 1 }) })
  await m.load('a')
  expect(m.events.recent('log').map(({ payload }) => payload)).toEqual([
    { module: 'a', level: 'warn', message: 'careful', fields: { n: 1 } },
  ])
})
