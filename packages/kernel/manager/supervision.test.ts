import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { PayloadOf } from '../events/event-map.js'
import type { ModuleContext } from '../lifecycle/context.js'
import { token } from '../lifecycle/services.js'
import { gigabyte, openManager, temporaryFolder } from '../testing/build.js'
import type { ModuleManager } from './manager.js'
import type { ManagerOptions } from './manager-types.js'

// Modules that end by themselves, and come back.

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one()
})

/** A policy in milliseconds: the shape of the real one. */
const quick = { base: 4, cap: 16, healthyAfter: 60_000 }

async function manager(options: ManagerOptions = {}): Promise<ModuleManager> {
  const made = await openManager({ supervision: quick, ...options })
  undo.push(() => made.shutdown())
  return made
}

function next<Name extends string>(m: ModuleManager, name: Name, id: string): Promise<PayloadOf<Name>> {
  return new Promise((resolve) => {
    const off = m.events.on(name, (payload) => {
      if ((payload as { id: string }).id !== id) return
      off()
      resolve(payload)
    })
  })
}

type Restart = 'never' | 'on-failure' | 'always'

/** Registers a daemon, and gives what it was given at its last load. */
function daemon(m: ModuleManager, id: string, restart: Restart = 'on-failure', load: () => void = () => undefined) {
  const life: { ctx: ModuleContext<unknown>; loads: number; configs: unknown[] } = {
    ctx: undefined as never,
    loads: 0,
    configs: [],
  }
  m.register({
    manifest: {
      id,
      version: '1.2.0',
      kind: 'daemon',
      lifecycle: { restart },
      config: { type: 'object', properties: { port: { type: 'integer', default: 1 } } },
    },
    module: {
      load(ctx) {
        life.ctx = ctx
        life.loads++
        life.configs.push(ctx.config)
        load()
        return { loads: life.loads }
      },
    },
  })
  return life
}

test('a daemon that crashes is started again with its config, and the others do not notice', async () => {
  const m = await manager()
  const life = daemon(m, 'a')
  const other = daemon(m, 'other')
  await m.load('a', { port: 7 })
  await m.load('other')
  const restarting = next(m, 'module.restarting', 'a')
  const restarted = next(m, 'module.restarted', 'a')
  life.ctx.fail(new Error('socket gone'))
  expect(m.getModule('a').state).toBe('error')
  expect(await restarting).toMatchObject({ id: 'a', attempt: 1 })
  await restarted
  expect([life.loads, other.loads, life.configs[1]]).toEqual([2, 1, { port: 7 }])
  expect(m.getModule('a')).toMatchObject({ state: 'active', error: undefined, wanted: true })
  expect(m.getModule('other').state).toBe('active')
})

test('a daemon that was only loaded is loaded again, not started', async () => {
  const m = await manager()
  const life = daemon(m, 'a')
  await m.load('a', undefined, { start: false })
  const loaded = next(m, 'module.loaded', 'a')
  life.ctx.fail(new Error('gone'))
  await loaded
  await m.start('a')
  expect(m.events.recent('module.started')).toHaveLength(1)
})

test('handles of modules bound to it work again', async () => {
  const Clock = token<{ now(): number }>('clock', '1.0')
  const m = await manager()
  let fail = (_error: Error): void => undefined
  let now = 0
  m.register({
    manifest: { id: 'clock', version: '1.0.0', lifecycle: { restart: 'on-failure' } },
    module: {
      load(ctx) {
        fail = (error) => ctx.fail(error)
        const mine = ++now
        ctx.provide(Clock, { now: () => mine })
      },
    },
  })
  m.register({
    manifest: { id: 'watch', version: '1.0.0', requires: ['clock'] },
    module: { load: (ctx) => ({ read: () => ctx.use(Clock).now(), clock: ctx.use(Clock) }) },
  })
  await m.load('watch')
  const { clock } = m.getInterface<{ clock: { now(): number } }>('watch')
  expect(clock.now()).toBe(1)
  const back = next(m, 'module.restarted', 'clock')
  fail(new Error('stopped'))
  expect(() => clock.now()).toThrow('is gone')
  expect(m.getModule('watch').state).toBe('active')
  await back
  expect(clock.now()).toBe(2)
})

test('who is started again: a table of settings and ends', async () => {
  const m = await manager()
  const cases = (['never', 'on-failure', 'always'] as const).flatMap((restart) =>
    [new Error('crash'), undefined].map((error) => ({ id: `${restart}-${error ? 'crash' : 'end'}`, restart, error })),
  )
  const lives = cases.map(({ id, restart }) => daemon(m, id, restart))
  await m.loadAll(cases.map(({ id }) => id))
  const back = ['on-failure-crash', 'always-crash', 'always-end'].map((id) => next(m, 'module.started', id))
  for (const [i, { error }] of cases.entries()) lives[i]!.ctx.fail(error)
  await Promise.all(back)
  expect(Object.fromEntries(cases.map(({ id }) => [id, m.getModule(id).state]))).toEqual({
    'never-crash': 'error',
    'never-end': 'error',
    'on-failure-crash': 'active',
    'on-failure-end': 'error',
    'always-crash': 'active',
    'always-end': 'active',
  })
})

test('three crashes put it into quarantine, also for the next process, until it is reset', async () => {
  const { path, remove } = temporaryFolder()
  undo.push(remove)
  const first = await manager({ stateFolder: path })
  const life = daemon(first, 'a')
  await first.load('a')
  for (const _ of [1, 2]) {
    const restarted = next(first, 'module.restarted', 'a')
    life.ctx.fail(new Error('boom'))
    await restarted
  }
  const quarantined = next(first, 'module.quarantined', 'a')
  life.ctx.fail(new Error('boom'))
  expect((await quarantined).reason).toBe("It crashed 3 times in 1 min, last: Module 'a' failed while it was running: boom")
  await expect(first.load('a')).rejects.toMatchObject({ code: 'QUARANTINED', module: 'a' })
  expect(first.getModule('a')).toMatchObject({ state: 'error', quarantined: { version: '1.2.0' } })
  expect(first.timeline().incidents.map(({ id, what }) => `${id} ${what}`)).toEqual([
    'a crashed',
    'a restarted',
    'a crashed',
    'a restarted',
    'a crashed',
    'a quarantined',
  ])
  expect(first.timeline().text).toMatch(/a is up again \(attempt 1\)/)
  await first.shutdown()

  const second = await manager({ stateFolder: path })
  daemon(second, 'a')
  expect(await second.canLoad('a')).toMatchObject({ ok: false, code: 'QUARANTINED' })
  expect((await second.canLoad('a')).reason).toMatch(/is in quarantine since \d{4}-.*It crashed 3 times.*manager\.reset\('a'\)/)
  expect(second.quarantined.map(({ id }) => id)).toEqual(['a'])
  await second.reset('a')
  await second.load('a')
  expect(JSON.parse(readFileSync(join(path, 'quarantine.json'), 'utf8'))).toEqual({ modules: [] })
})

test('a restart that fails counts as a crash', async () => {
  const m = await manager()
  let broken = false
  const life = daemon(m, 'a', 'on-failure', () => {
    if (broken) throw new Error('still broken')
  })
  await m.load('a')
  broken = true
  const quarantined = next(m, 'module.quarantined', 'a')
  life.ctx.fail(new Error('boom'))
  expect((await quarantined).reason).toContain('still broken')
  expect(life.loads).toBe(3)
  expect(m.events.recent('module.restarting').map(({ payload }) => (payload as { attempt: number }).attempt)).toEqual([1, 2])
})

test('what is in the way of a restart is waited for, and counts as no crash', async () => {
  const m = await manager({ hardware: { ramTotal: 12 * gigabyte } })
  let fail = (_error: Error): void => undefined
  m.register({
    manifest: { id: 'big', version: '1.0.0', resources: { ram: '6GB' }, lifecycle: { restart: 'on-failure' } },
    module: {
      load(ctx) {
        fail = (error) => ctx.fail(error)
      },
    },
  })
  m.register({ manifest: { id: 'guest', version: '1.0.0', resources: { ram: '7GB' } }, module: {} })
  await m.load('big')
  const attempts = new Promise<void>((resolve) => {
    m.events.on('module.restarting', ({ attempt }) => {
      if (attempt === 6) resolve()
    })
  })
  fail(new Error('boom'))
  // It is in the queue before the first attempt is.
  await m.load('guest')
  await attempts
  expect(m.getModule('big')).toMatchObject({ state: 'error', quarantined: undefined })
  const back = next(m, 'module.started', 'big')
  await m.unload('guest')
  await back
})

test('unload, disable, reset and shutdown end the attempts', async () => {
  const m = await manager({ supervision: { ...quick, base: 60_000, cap: 60_000 } })
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const lives = ['unload', 'disable', 'reset'].map((id) => daemon(m, id))
  await m.loadAll(['unload', 'disable', 'reset'])
  for (const life of lives) life.ctx.fail(new Error('boom'))
  expect(m.events.recent('module.restarting')).toHaveLength(3)
  await m.unload('unload')
  await m.disable('disable')
  await m.reset('reset')
  expect(['unload', 'disable', 'reset'].map((id) => m.getModule(id).state)).toEqual(['unloaded', 'disabled', 'unloaded'])
  expect(timers()).toBe(before)
})

test('a module that is taken out of use while it waits is not started again', async () => {
  const m = await manager()
  const Speech = { capability: 'speech', version: '1.0' }
  let fail = (_error: Error): void => undefined
  m.register({
    manifest: { id: 'a', version: '1.0.0', provides: [Speech], lifecycle: { restart: 'on-failure' } },
    module: { load: (ctx) => void (fail = (error) => ctx.fail(error)) },
  })
  m.register({ manifest: { id: 'b', version: '1.0.0', provides: [Speech] }, module: {} })
  await m.load('a')
  const dropped = next(m, 'module.restart-dropped', 'a')
  fail(new Error('boom'))
  await m.load('b')
  expect((await dropped).message).toContain("already provided by 'b'")
  expect(m.getModule('a').state).toBe('error')
})

test('a quarantine file that cannot be used is told, and the manager opens', async () => {
  const { path, remove } = temporaryFolder()
  undo.push(remove)
  writeFileSync(join(path, 'quarantine.json'), '{"modules": 7}')
  const m = await manager({ stateFolder: path })
  expect(m.events.recent('manager.warning')[0]!.payload).toMatchObject({ code: 'QUARANTINE_FILE' })
  expect(m.quarantined).toEqual([])
})
