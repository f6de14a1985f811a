import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GarbageCollection } from '@enigma/contracts'
import { checkModules, ModuleManager } from '@enigma/kernel'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { GarbageCollectorService } from '../../types.js'

// The module as it ships, through a real manager.

const moduleFolder = fileURLToPath(new URL('../../../', import.meta.url))

let folder = ''
let manager: ModuleManager
const before = process.env.ENIGMA_HOME
beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'enigma-garbage-')), 'enigma')
  process.env.ENIGMA_HOME = folder
  manager = await ModuleManager.open({ modules: [moduleFolder], hardware: { gpus: [] } })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await manager.shutdown()
  if (before === undefined) delete process.env.ENIGMA_HOME
  else process.env.ENIGMA_HOME = before
  rmSync(dirname(folder), { recursive: true, force: true })
})

const collector = (): GarbageCollectorService => manager.getInterface('garbage-collector')
const collected = () =>
  new Promise<{ files: number; bytes: number }>((resolve) => manager.events.once('garbage.collected', resolve))

function old(name: string, hours = 2): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '0123456789')
  const time = Date.now() / 1000 - hours * 3600
  utimesSync(path, time, time)
  return path
}

test('the manifest is clean', async () => {
  expect(await checkModules([moduleFolder])).toEqual([])
  expect(manager.listModules()).toMatchObject([{ id: 'garbage-collector', kind: 'daemon', provides: ['garbage-collection'] }])
})

test('it runs by itself at its interval, and says what it removed', async () => {
  const first = old('cache/a.tmp')
  const done = collected()
  await manager.load('garbage-collector', { interval: '100ms' })
  expect(await done).toEqual({ files: 1, bytes: 10 })
  expect(existsSync(first)).toBe(false)
  const second = old('cache/b.tmp')
  while (existsSync(second)) await collected()
  expect((await manager.health('garbage-collector'))['garbage-collector']!.status).toBe('healthy')
})

test('stop leaves no timer, and may be said twice', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const cleared = vi.spyOn(globalThis, 'clearTimeout')
  await manager.load('garbage-collector', { interval: '45s' })
  await manager.stop('garbage-collector')
  await manager.stop('garbage-collector')
  // 45 s ± 10 %: nobody else waits so long.
  const waiting = timers.mock.results.filter((_, i) => Math.abs(timers.mock.calls[i]![1]! - 45_000) <= 4500)
  expect(waiting.length).toBeGreaterThan(0)
  expect(cleared.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(waiting.map(({ value }) => value)))
  await manager.start('garbage-collector')
  expect(collector().rules().length).toBeGreaterThan(5)
})

test('a scan touches nothing, a run removes the same', async () => {
  const path = old('state/.heartbeat.json.1a2b3c4d.tmp')
  await manager.load('garbage-collector')
  const scan = await collector().scan()
  expect(scan).toMatchObject({ items: [{ rule: 'state-temporary', path, bytes: 10 }], files: 1, bytes: 10, problems: [] })
  expect(existsSync(path)).toBe(true)
  const [one, two] = [collector().run(), collector().run()]
  expect(await one).toBe(await two)
  expect((await one).items).toMatchObject([{ path }])
  expect(existsSync(path)).toBe(false)
  expect(await collector().lastRun()).toMatchObject({ files: 1, bytes: 10, problems: [] })
})

test('the commands list first, remove then, and tell of the last run of any process', async () => {
  const path = old('cache/a.tmp')
  const run = (name: string, options = {}) => manager.runCommand('garbage-collector', name, { options })
  expect(await run('status')).toBe(`last run  none\n     10 B  cache-temporary         ${path}\n1 files, 10 B would go`)
  expect(await run('run', { 'dry-run': true })).toContain('1 files, 10 B would go')
  expect(existsSync(path)).toBe(true)
  expect(await run('run')).toContain('1 files, 10 B removed')
  expect(existsSync(path)).toBe(false)
  await manager.unload('garbage-collector')
  expect(await run('status', { format: 'json' })).toMatchObject({ last: { files: 1, bytes: 10 }, found: { files: 0 } })
})

test('other modules add rules for their own leavings, which outlive a reload and go with them', async () => {
  const path = old('state/thumbs/1.png')
  await manager.load('garbage-collector')
  manager.register({
    manifest: { id: 'thumbs', version: '1.0.0', requires: ['garbage-collection@^1'] },
    module: {
      load(ctx) {
        const garbage = ctx.use(GarbageCollection)
        const matches = (name: string) => name.endsWith('.png')
        ctx.onDispose(garbage.addRule({ id: 'thumbs', root: 'state', folder: 'thumbs', olderThan: 3600_000, matches }))
      },
    },
  })
  await manager.load('thumbs')
  expect((await collector().scan()).items).toMatchObject([{ rule: 'thumbs', path }])
  expect(await manager.reload('garbage-collector')).toMatchObject({ handedOver: true })
  expect((await collector().scan()).items).toMatchObject([{ rule: 'thumbs', path }])
  await manager.unload('thumbs')
  expect((await collector().scan()).items).toEqual([])
})

test.each([
  [{ id: 'rotated-log' }, 'another rule has its id'],
  [{ root: 'home' as 'state' }, 'its root must be one of'],
  [{ folder: '../other' }, "'folder' must lie below its root"],
  [{ folder: 'a/../../b' }, "'folder' must lie below its root"],
  [{ folder: '/etc' }, "'folder' must lie below its root"],
  [{ root: 'data' as const }, "a rule for 'data' must name a folder in it"],
  [{ root: 'config' as const, folder: 'a/..' }, "a rule for 'config' must name a folder in it"],
  [{ olderThan: Number.NaN }, "'olderThan' must be milliseconds"],
  [{ matches: /png/ as never }, "'matches' must be a function"],
])('the rule %j is refused: %s', async (wrong, reason) => {
  await manager.load('garbage-collector')
  const rule = { id: 'mine', root: 'state' as const, olderThan: 0, matches: () => true, ...wrong }
  expect(() => collector().addRule(rule)).toThrow(
    expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(reason) }),
  )
})

test('ages are applied at once, another interval needs a restart', async () => {
  old('cache/a.png', 5)
  await manager.load('garbage-collector')
  expect((await collector().scan()).files).toBe(0)
  await manager.configure('garbage-collector', { cacheAge: '4h' })
  expect((await collector().scan()).files).toBe(1)
  await expect(manager.configure('garbage-collector', { interval: '2h' })).rejects.toMatchObject({ code: 'CONFIG_NEEDS_RESTART' })
})

test('a home that is not ours is left alone, said once, and shown by health', async () => {
  process.env.ENIGMA_HOME = folder = join(dirname(folder), 'documents')
  const path = old('cache/a.tmp', 9999)
  old('thesis.txt')
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  await manager.load('garbage-collector')
  await collector().run()
  await collector().run()
  expect(existsSync(path)).toBe(true)
  expect(warnings.filter((text) => text.startsWith(`${join(folder, 'cache')} is left alone`))).toHaveLength(1)
  expect((await manager.health('garbage-collector'))['garbage-collector']!.status).toBe('degraded')
})

test("V8's collector runs where it is exposed and wanted", async () => {
  const collectMemory = vi.fn()
  vi.stubGlobal('gc', collectMemory)
  await manager.load('garbage-collector', { memory: true })
  await collector().run()
  vi.unstubAllGlobals()
  expect(collectMemory).toHaveBeenCalledOnce()
})
