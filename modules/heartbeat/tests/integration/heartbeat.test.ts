import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Heartbeat } from '@enigma/contracts'
import { checkModules, type LogRecord, ModuleManager } from '@enigma/kernel'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { HeartbeatService } from '../../types.js'

// The module as it ships, through a real manager.

const moduleFolder = fileURLToPath(new URL('../../../', import.meta.url))

let folder = ''
let path = ''
let manager: ModuleManager
const home = process.env.ENIGMA_HOME
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-heartbeat-'))
  process.env.ENIGMA_HOME = folder
  path = join(folder, 'state', 'heartbeat.json')
  manager = await ModuleManager.open({ modules: [moduleFolder], hardware: { gpus: [] } })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await manager.shutdown()
  if (home === undefined) delete process.env.ENIGMA_HOME
  else process.env.ENIGMA_HOME = home
  rmSync(folder, { recursive: true, force: true })
})

const heartbeat = (): HeartbeatService => manager.getInterface('heartbeat')
const written = () => JSON.parse(readFileSync(path, 'utf8')) as Heartbeat
const next = () => new Promise<Heartbeat>((resolve) => manager.events.once('heartbeat.beat', resolve))
const health = async () => (await manager.health('heartbeat')).heartbeat!

test('the manifest is clean', async () => {
  expect(await checkModules([moduleFolder])).toEqual([])
  expect(manager.listModules({ kind: 'daemon' })).toMatchObject([{ id: 'heartbeat', broken: false }])
})

test('loading it writes a beat at once, and one more at each interval', async () => {
  await manager.load('heartbeat', { interval: '100ms' })
  const first = written()
  expect(first).toMatchObject({
    status: expect.stringMatching(/^(healthy|degraded|unhealthy)$/),
    pid: process.pid,
    interval: 100,
  })
  expect(Object.keys(first)).toEqual(['timestamp', 'status', 'uptime', 'memory', 'cpu', 'version', 'pid', 'interval'])
  expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(first, null, 2)}\n`)
  const second = await next()
  expect(Date.parse(second.timestamp!)).toBeGreaterThan(Date.parse(first.timestamp!))
  expect(heartbeat().last()).toEqual(second)
  expect(readdirSync(join(folder, 'state'))).toEqual(['heartbeat.json'])
})

test('start and stop may be said twice, and stop leaves no timer', async () => {
  const timers = vi.spyOn(globalThis, 'setInterval')
  const cleared = vi.spyOn(globalThis, 'clearInterval')
  await manager.load('heartbeat', { interval: '100ms' })
  await heartbeat().start()
  await heartbeat().start()
  expect(heartbeat().isRunning()).toBe(true)
  await manager.stop('heartbeat')
  await manager.stop('heartbeat')
  expect(heartbeat().isRunning()).toBe(false)
  await heartbeat().stop()
  rmSync(path)
  await manager.start('heartbeat')
  expect(written().pid).toBe(process.pid)
  await manager.unload('heartbeat')
  const beating = timers.mock.calls.flatMap(([, ms], i) => (ms === 100 ? [timers.mock.results[i]!.value] : []))
  expect(beating).toHaveLength(2)
  expect(cleared.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(beating))
})

test('without autoStart it waits to be asked, and unloading ends what was asked for', async () => {
  await manager.load('heartbeat', { autoStart: false, interval: '100ms' })
  expect([heartbeat().isRunning(), await health()]).toEqual([false, { status: 'unhealthy', message: 'Heartbeat is not running' }])
  await heartbeat().start()
  expect(written().interval).toBe(100)
  await manager.stop('heartbeat')
  expect(heartbeat().isRunning()).toBe(false)
})

test('what a beat tells can be chosen', async () => {
  await manager.load('heartbeat', { includeMetrics: ['status', 'memory'] })
  expect(Object.keys(written())).toEqual(['status', 'memory', 'pid', 'interval'])
})

test('a config is applied while it runs; a wrong one is refused with the sentence, and nothing changes', async () => {
  await manager.load('heartbeat')
  const other = join(folder, 'elsewhere.json')
  const beat = next()
  await manager.configure('heartbeat', { interval: '200ms', outputPath: other })
  expect((await beat).interval).toBe(200)
  expect(JSON.parse(readFileSync(other, 'utf8')).interval).toBe(200)
  await expect(manager.configure('heartbeat', { interval: '5ms' })).rejects.toThrow('Interval must be at least 100ms')
  expect((await next()).interval).toBe(200)
  expect(heartbeat().path).toBe(other)
})

test.each([
  [{ interval: 'often' }, 'Invalid interval format. Use format like "500ms", "30s", "5m", "1h"'],
  [{ interval: '' }, 'Heartbeat config missing required field: interval'],
  [{ outputPath: '' }, 'Heartbeat config missing required field: outputPath'],
  [{ includeMetrics: ['mood'] }, 'includeMetrics'],
])('the config %j is refused', async (config, message) => {
  await expect(manager.load('heartbeat', config)).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining(message),
  })
})

test('a file that cannot be written is logged once, shown by health, and never thrown', async () => {
  const errors: string[] = []
  manager.events.on('log', ({ level, message }: LogRecord) => {
    if (level === 'error') errors.push(message)
  })
  writeFileSync(join(folder, 'state'), 'a file where the folder belongs')
  await manager.load('heartbeat', { interval: '100ms' })
  await heartbeat().beat()
  await heartbeat().beat()
  expect(errors).toEqual([expect.stringContaining(`The heartbeat cannot be written to ${path}`)])
  expect(await health()).toMatchObject({ status: 'degraded', message: expect.stringContaining('was not written') })
  rmSync(join(folder, 'state'))
  await next()
  expect((await health()).message).toBe('Beating every 100ms')
})

test('a beat that does not come for two intervals is stale', async () => {
  await manager.load('heartbeat', { interval: '100ms' })
  const until = performance.now() + 250
  // A synchronous loop: the timer cannot run, which is what stale means.
  while (performance.now() < until);
  expect(await health()).toMatchObject({ status: 'unhealthy', message: expect.stringContaining('stale') })
})

test('status and reset work on what the daemon wrote, and load nothing', async () => {
  const run = (name: string, options = {}) => manager.runCommand('heartbeat', name, { options })
  expect(await run('status')).toContain('no heartbeat was written here')
  await manager.load('heartbeat')
  expect(await run('status', { format: 'json' })).toMatchObject({ pulse: 'running', path, beat: { pid: process.pid } })
  expect(await run('status')).toMatch(/^heartbeat {2}beating\n.*\nage {8}\d+ s\nprocess {4}\d+\n/)
  await expect(run('reset')).rejects.toThrow(`${path} is kept: process ${process.pid} is beating. Pass --force`)
  expect(await run('reset', { force: true })).toBe(`Removed ${path}`)
  expect(await run('reset')).toBe(`There is no heartbeat at ${path}`)
  await manager.unload('heartbeat')
  await run('status')
  expect(manager.listLoaded()).toEqual([])
})

test('reset does not remove a file that is no heartbeat', async () => {
  mkdirSync(join(folder, 'documents'))
  const document = join(folder, 'documents', 'novel.txt')
  writeFileSync(document, 'Once upon a time')
  await expect(manager.runCommand('heartbeat', 'reset', { options: { path: document } })).rejects.toThrow('it holds no heartbeat')
  expect(readFileSync(document, 'utf8')).toBe('Once upon a time')
})

test('a program ends although the daemon runs, and its last beat tells that the process is gone', async () => {
  const kernel = import.meta.resolve('@enigma/kernel')
  const program = `const { ModuleManager } = await import(${JSON.stringify(kernel)})
    const manager = await ModuleManager.open({ modules: [${JSON.stringify(moduleFolder)}], hardware: { gpus: [] } })
    await manager.load('heartbeat')`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000 })
  expect([status, String(stderr)]).toEqual([0, ''])
  expect(await manager.runCommand('heartbeat', 'status', { options: { format: 'json' } })).toMatchObject({ pulse: 'stopped' })
})
