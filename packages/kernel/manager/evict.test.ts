import { afterEach, expect, test } from 'vitest'
import type { ModuleDefinition } from '../define.js'
import type { ManifestInput } from '../manifest/manifest.js'
import { gigabyte, openManager } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

// Room for what does not fit, by policy only.

const open: ModuleManager[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.shutdown()
})

/** A manager with about 9.5 GB for modules. */
async function manager(eviction: 'never' | 'idle' = 'idle'): Promise<ModuleManager> {
  const made = await openManager({ eviction, hardware: { ramTotal: 10 * gigabyte, ramFree: 10 * gigabyte } })
  open.push(made)
  return made
}

function add(
  m: ModuleManager,
  id: string,
  ram: number,
  rest: Partial<ManifestInput> = {},
  module: ModuleDefinition = { load: () => ({ ping: () => id, wait: (until: Promise<void>) => until }) },
): void {
  m.register({ manifest: { id, version: '1.0.0', resources: { ram: ram * gigabyte }, ...rest }, module })
}

const evictable = { lifecycle: { evictable: true } } as const
const states = (m: ModuleManager) => Object.fromEntries(m.listModules().map(({ id, state }) => [id, state]))
const evicted = (m: ModuleManager) => m.events.recent('module.evicted').map(({ payload }) => (payload as { id: string }).id)

test('by default nobody is unloaded for another', async () => {
  const m = await manager('never')
  add(m, 'a', 6, evictable)
  add(m, 'b', 6)
  await m.load('a')
  await expect(m.load('b')).rejects.toMatchObject({ code: 'NO_RAM' })
  expect(states(m)).toEqual({ a: 'active', b: 'unloaded' })
})

test('the fewest go, the least recently used of those', async () => {
  const m = await manager()
  for (const id of ['a', 'b', 'c']) add(m, id, 3, evictable)
  add(m, 'd', 3)
  add(m, 'e', 5)
  await m.loadAll(['a', 'b', 'c'])
  const a = m.getInterface<{ ping(): string }>('a')
  a.ping()
  expect((await m.canLoad('d')).plan).toEqual(['d'])
  expect(states(m)).toMatchObject({ a: 'active', b: 'active', c: 'active' })
  await m.load('d')
  expect(evicted(m)).toEqual(['b'])
  expect(() => a.ping()).not.toThrow()
  await m.load('e')
  expect(evicted(m)).toEqual(['b', 'c', 'a'])
  expect(states(m)).toEqual({ a: 'unloaded', b: 'unloaded', c: 'unloaded', d: 'active', e: 'active' })
})

test('who is asked for by name, needed by others, or at work stays', async () => {
  const m = await manager()
  add(m, 'wanted', 3)
  add(m, 'needed', 3, evictable)
  add(m, 'needs', 0, { requires: ['needed'] })
  add(m, 'working', 3, evictable)
  add(m, 'big', 3)
  await m.loadAll(['wanted', 'needs', 'working'])
  let finish = (): void => undefined
  const work = m.getInterface<{ wait(until: Promise<void>): Promise<void> }>('working').wait(
    new Promise((resolve) => {
      finish = resolve
    }),
  )
  await expect(m.load('big')).rejects.toMatchObject({ code: 'NO_RAM' })
  expect(evicted(m)).toEqual([])
  finish()
  await work
  await m.load('big')
  expect(evicted(m)).toEqual(['working'])
})

test('a module that was only pulled in may go once nobody needs it', async () => {
  const m = await manager()
  add(m, 'model', 6)
  add(m, 'chat', 0, { requires: ['model'] })
  add(m, 'other', 6)
  await m.load('chat')
  await m.unload('chat')
  expect(states(m).model).toBe('active')
  await m.load('other')
  expect(evicted(m)).toEqual(['model'])
})

test('when the load fails, they come back as they were', async () => {
  const m = await manager()
  let loads = 0
  add(
    m,
    'a',
    6,
    { ...evictable, config: { type: 'object', properties: { n: { type: 'integer', default: 1 } } } },
    {
      load(ctx) {
        loads++
        const { n } = ctx.config as { n: number }
        return { n: () => n }
      },
    },
  )
  add(
    m,
    'b',
    6,
    {},
    {
      load() {
        throw new Error('corrupt file')
      },
    },
  )
  await m.load('a', { n: 7 })
  const a = m.getInterface<{ n(): number }>('a')
  await expect(m.load('b')).rejects.toThrow('corrupt file')
  expect([states(m).a, loads, a.n()]).toEqual(['active', 2, 7])
  expect(m.getModule('a').wanted).toBe(true)
  expect(evicted(m)).toEqual([])
  expect(m.ledger.map(({ module }) => module)).toEqual(['a'])
})

test('what would not fit even then is refused as before, and nobody goes', async () => {
  const m = await manager()
  add(m, 'a', 3, evictable)
  add(m, 'huge', 12)
  await m.load('a')
  await expect(m.load('huge')).rejects.toMatchObject({ code: 'NO_RAM' })
  expect(states(m).a).toBe('active')
})
