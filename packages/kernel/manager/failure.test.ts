import { afterEach, expect, test } from 'vitest'
import { ModuleError } from '../errors.js'
import { openManager, tracked } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

// What fails, and what stays as it was.

const open: ModuleManager[] = []
async function manager(): Promise<ModuleManager> {
  const made = await openManager({ times: { warn: 15, grace: 20 } })
  open.push(made)
  return made
}
afterEach(async () => {
  for (const one of open.splice(0)) await one.shutdown()
})

const states = (m: ModuleManager) => Object.fromEntries(m.listModules().map(({ id, state }) => [id, state]))
const boom = () => {
  throw new Error('boom')
}

test('a module that throws in load ends in error with the reason, and what came with it is undone in reverse', async () => {
  const m = await manager()
  const log: string[] = []
  tracked(m, log, 'earlier')
  tracked(m, log, 'a')
  tracked(m, log, 'b', { requires: ['a'] })
  tracked(m, log, 'c', { requires: ['b', 'earlier'] }, { load: boom })
  await m.load('earlier')
  log.length = 0
  await expect(m.load('c')).rejects.toMatchObject({
    code: 'LOAD_FAILED',
    module: 'c',
    message: "Module 'c' failed to load: boom",
  })
  expect(log).toEqual(['load a', 'load b', 'load c', 'unload b', 'unload a'])
  expect(states(m)).toEqual({ a: 'unloaded', b: 'unloaded', c: 'error', earlier: 'active' })
  expect(m.getModule('c').error).toBeInstanceOf(ModuleError)
  expect((m.getModule('c').error!.cause as Error).message).toBe('boom')
  await m.unload('earlier')
})

test('a module in error is left by reset, or by loading it again', async () => {
  const m = await manager()
  let fail = true
  tracked(m, [], 'a', {}, { load: () => (fail ? boom() : { fine: true }) })
  await m.tryLoad('a')
  await m.reset('a')
  expect(states(m)).toEqual({ a: 'unloaded' })
  await m.tryLoad('a')
  fail = false
  await m.load('a')
  expect(states(m)).toEqual({ a: 'active' })
  expect(m.getModule('a').error).toBeUndefined()
})

test('a failing start undoes the whole load, and stops earlier modules that it had started', async () => {
  const m = await manager()
  const log: string[] = []
  tracked(m, log, 'earlier')
  tracked(m, log, 'a', { requires: ['earlier'] })
  tracked(m, log, 'b', { requires: ['a'] }, { start: boom })
  await m.load('earlier', undefined, { start: false })
  await expect(m.load('b')).rejects.toMatchObject({ code: 'START_FAILED' })
  expect(states(m)).toEqual({ a: 'unloaded', b: 'error', earlier: 'loaded' })
  expect(log.slice(-4)).toEqual(['unload b', 'stop a', 'unload a', 'stop earlier'])
})

test('what a failed module had registered is undone, and its late effects are refused', async () => {
  const m = await manager()
  let undone = 0
  let late: (() => void) | undefined
  m.register({
    manifest: { id: 'a', version: '1.0.0' },
    module: {
      load(ctx) {
        ctx.onDispose(() => undone++)
        ctx.events.on('x', () => undefined)
        late = () => void ctx.onDispose(() => undefined)
        boom()
      },
    },
  })
  await m.tryLoad('a')
  expect(undone).toBe(1)
  expect(m.events.size).toBe(0)
  expect(late).toThrow("Module 'a' is no longer loaded: 'onDispose' is refused")
})

test('independent modules load at the same time; when one fails the others are cancelled', async () => {
  const m = await manager()
  let aborted = false
  let arrived: () => void = () => undefined
  const both = new Promise<void>((resolve) => (arrived = resolve))
  m.register({
    manifest: { id: 'slow', version: '1.0.0' },
    module: {
      load: (ctx) =>
        new Promise((_, reject) => {
          ctx.signal.addEventListener('abort', () => {
            aborted = true
            reject(new Error('aborted'))
          })
          arrived()
        }),
    },
  })
  tracked(m, [], 'bad', {}, { load: () => both.then(boom) })
  tracked(m, [], 'top', { requires: ['slow', 'bad'] })
  await expect(m.load('top')).rejects.toThrow("Module 'bad' failed to load: boom")
  expect(aborted).toBe(true)
  expect(states(m)).toEqual({ bad: 'error', slow: 'unloaded', top: 'unloaded' })
})

test('a load that never ends is given up after its limit; it is stuck and not tried again', async () => {
  const m = await manager()
  const slow: unknown[] = []
  m.events.on('module.slow', (payload) => slow.push(payload))
  let release: () => void = () => undefined
  m.register({
    manifest: { id: 'a', version: '1.0.0', lifecycle: { loadTimeout: '30ms' } },
    module: { load: () => new Promise<void>((resolve) => (release = resolve)) },
  })
  await expect(m.load('a')).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: "Module 'a' did not load in 30 ms. Make it faster, or raise lifecycle.loadTimeout in its module.yaml.",
  })
  expect(slow).toEqual([{ id: 'a', operation: 'load', ms: 15 }])
  expect(m.getModule('a')).toMatchObject({ state: 'error', stuck: true })
  await expect(m.load('a')).rejects.toMatchObject({ code: 'STUCK' })
  await expect(m.reset('a')).rejects.toMatchObject({ code: 'STUCK' })
  release()
  await new Promise((resolve) => setImmediate(resolve))
  await m.reset('a')
  expect(states(m)).toEqual({ a: 'unloaded' })
})

test('a load that ends when its signal aborts is a timeout, but not stuck', async () => {
  const m = await manager()
  m.register({
    manifest: { id: 'a', version: '1.0.0', lifecycle: { loadTimeout: '10ms' } },
    module: { load: (ctx) => new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve())) },
  })
  await expect(m.load('a')).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(m.getModule('a')).toMatchObject({ state: 'error', stuck: false })
})

test('a load can be cancelled from outside; nothing of it stays', async () => {
  const m = await manager()
  const controller = new AbortController()
  tracked(m, [], 'base')
  m.register({
    manifest: { id: 'a', version: '1.0.0', requires: ['base'] },
    module: {
      load: (ctx) =>
        new Promise((_, reject) => {
          ctx.signal.addEventListener('abort', () => reject(new Error('aborted')))
          controller.abort()
        }),
    },
  })
  await expect(m.load('a', undefined, { signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(states(m)).toEqual({ a: 'unloaded', base: 'unloaded' })
})

test('a failing unload ends in error, and shutdown goes on with the others', async () => {
  const m = await openManager()
  const log: string[] = []
  tracked(m, log, 'a')
  tracked(m, log, 'b', { requires: ['a'] }, { unload: boom })
  await m.load('b')
  await expect(m.shutdown()).rejects.toMatchObject({ code: 'UNLOAD_FAILED', message: "Module 'b' failed to unload: boom" })
  expect(states(m)).toEqual({ a: 'unloaded', b: 'error' })
  expect(log.at(-1)).toBe('unload a')
})

test('a failing stop ends in error with everything undone', async () => {
  const m = await manager()
  let undone = 0
  m.register({
    manifest: { id: 'a', version: '1.0.0' },
    module: {
      load: (ctx) => {
        ctx.onDispose(() => undone++)
      },
      stop: boom,
    },
  })
  await m.load('a')
  await expect(m.stop('a')).rejects.toMatchObject({ code: 'STOP_FAILED' })
  expect(undone).toBe(1)
  expect(states(m)).toEqual({ a: 'error' })
})

test('a reservation is given back when the load fails', async () => {
  const m = await manager()
  tracked(m, [], 'a', { resources: { ram: '1GB' } }, { load: boom })
  await m.tryLoad('a')
  expect(m.ledger).toEqual([])
})

test('a dependency cycle is refused and named in full', async () => {
  const m = await manager()
  tracked(m, [], 'a', { requires: ['b'] })
  tracked(m, [], 'b', { requires: ['c'] })
  tracked(m, [], 'c', { requires: ['a'] })
  await expect(m.load('b')).rejects.toMatchObject({ code: 'CYCLE', modules: ['a', 'b', 'c'] })
  await expect(m.load('b')).rejects.toThrow('a -> b -> c -> a')
})
