import { afterEach, expect, test } from 'vitest'
import type { Health, ModuleDefinition } from '../define.js'
import { openManager } from '../testing/build.js'
import type { ModuleManager } from './manager.js'
import type { ManagerOptions } from './manager-types.js'

// Asking modules how they are.

const open: ModuleManager[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.shutdown()
})

async function manager(health: ManagerOptions['health'] = {}): Promise<ModuleManager> {
  const made = await openManager({ health: { interval: 5, deadline: 30, ...health } })
  open.push(made)
  return made
}

function told(m: ModuleManager, id: string, status: Health['status']): Promise<unknown> {
  return new Promise((resolve) => {
    const off = m.events.on('module.health', (event) => {
      if (event.id !== id || event.status !== status) return
      off()
      resolve(event)
    })
  })
}

function add(m: ModuleManager, id: string, module: ModuleDefinition): void {
  m.register({ manifest: { id, version: '1.0.0', lifecycle: { stopTimeout: '20ms' } }, module })
}

test('a change of health is told once, with what it was before', async () => {
  const m = await manager()
  let health: Health = { status: 'healthy' }
  let asked = 0
  add(m, 'a', {
    health() {
      asked++
      return health
    },
  })
  add(m, 'silent', {})
  await m.loadAll(['a', 'silent'])
  const worse = told(m, 'a', 'degraded')
  health = { status: 'degraded', message: 'disk is slow' }
  expect(await worse).toEqual({ id: 'a', status: 'degraded', message: 'disk is slow', previous: 'healthy' })
  const before = asked
  while (asked < before + 3) await new Promise((resolve) => setImmediate(resolve))
  const better = told(m, 'a', 'healthy')
  health = { status: 'healthy' }
  await better
  expect(m.events.recent('module.health')).toHaveLength(2)
})

test('what was said last is kept: status, since when, how long it took, how often it failed to answer', async () => {
  const m = await manager({ interval: 0 })
  let fail = true
  add(m, 'a', {
    health() {
      if (fail) throw new Error('no database')
      return { status: 'healthy' }
    },
  })
  await m.load('a')
  expect(m.getModule('a').health).toBeUndefined()
  expect(await m.health('a')).toEqual({ a: { status: 'unhealthy', message: 'no database' } })
  await m.health('a')
  const kept = m.getModule('a').health!
  expect(kept).toMatchObject({ status: 'unhealthy', message: 'no database', errors: 2 })
  expect(kept.responseMs).toBeGreaterThanOrEqual(0)
  expect(kept.since <= kept.asked).toBe(true)
  fail = false
  await m.health('a')
  expect(m.getModule('a').health).toMatchObject({ status: 'healthy', errors: 2 })
  await m.unload('a')
  expect(await m.health('a')).toEqual({ a: { status: 'unhealthy', message: 'it is unloaded' } })
  expect(m.getModule('a').health).toBeUndefined()
})

test('a module that does not answer is unhealthy after the deadline, is not asked on top, and keeps nobody waiting', async () => {
  const m = await manager({ interval: 0 })
  let asked = 0
  let answer = (_: Health): void => undefined
  add(m, 'slow', {
    health() {
      asked++
      return new Promise<Health>((resolve) => {
        answer = resolve
      })
    },
  })
  add(m, 'quick', { health: () => ({ status: 'degraded' }) })
  await m.loadAll(['slow', 'quick'])
  expect(await m.health()).toEqual({
    slow: { status: 'unhealthy', message: 'it did not answer in 30 ms' },
    quick: { status: 'degraded' },
  })
  await m.health()
  expect(asked).toBe(1)
  answer({ status: 'healthy' })
  // Late, but an answer.
  expect(await m.health('slow')).toEqual({ slow: { status: 'healthy' } })
  await m.health('slow')
  expect(asked).toBe(2)
})

test('an answer that is none is said to be none', async () => {
  const m = await manager({ interval: 0 })
  const answers: unknown[] = [undefined, null, 7, 'healthy', {}, { status: 'fine' }, { status: 'healthy', message: 7 }]
  for (const [i, answer] of answers.entries()) add(m, `m${i}`, { health: () => answer as Health })
  await m.loadAll(answers.map((_, i) => `m${i}`))
  const said = Object.values(await m.health())
  expect(new Set(said.map(({ status }) => status))).toEqual(new Set(['unknown']))
  expect(said[0]!.message).toContain('gave no { status, message }')
})

test('a module that is unloaded while it thinks is answered for, and leaves no trace', async () => {
  const m = await manager({ interval: 0, deadline: 1000 })
  let answer = (_: Health): void => undefined
  add(m, 'a', { health: () => new Promise<Health>((resolve) => (answer = resolve)) })
  await m.load('a')
  const asked = m.health('a')
  await m.unload('a')
  answer({ status: 'degraded' })
  expect(await asked).toEqual({ a: { status: 'unhealthy', message: 'it is unloaded' } })
  expect(m.getModule('a').health).toBeUndefined()
  expect(m.events.recent('module.health')).toEqual([])
})

test('what modules say they hold is looked at too, and pressure is told', async () => {
  const m = await openManager({ health: { interval: 5 }, hardware: { ramTotal: 10_000 * 2 ** 20, ramFree: 10_000 * 2 ** 20 } })
  open.push(m)
  let ram = 100 * 2 ** 20
  m.register({ manifest: { id: 'a', version: '1.0.0', resources: { ram: '1000MB' } }, module: { usage: () => ({ ram }) } })
  add(m, 'liar', {
    usage() {
      throw new Error('no idea')
    },
  })
  await m.loadAll(['a', 'liar'])
  expect(m.ledger).toEqual([{ module: 'a', ram, vram: 0, used: true }])
  expect(m.events.recent('ledger.reconciled')[0]!.payload).toEqual({
    id: 'a',
    before: { ram: 1000 * 2 ** 20, vram: 0 },
    after: { ram: 100 * 2 ** 20, vram: 0 },
  })
  const pressure = new Promise((resolve) => m.events.on('ledger.pressure', resolve))
  ram = 9500 * 2 ** 20
  expect(await pressure).toEqual({ pool: 'ram', level: 'critical', share: 0.95 })
  const { pools, modules, text } = m.resources()
  expect(pools).toMatchObject([{ name: 'ram', held: ram, available: 0, level: 'critical' }])
  expect(modules).toMatchObject([{ id: 'a', reserved: { ram: 1000 * 2 ** 20 }, reported: { ram }, held: { ram } }])
  expect(text.split('\n')).toEqual([
    'pool   total    free    held  available  in use     level',
    'ram   9.8 GB  9.8 GB  9.3 GB     0.0 MB    95 %  critical',
    '',
    'module   reserved  reported    held  device',
    'a       1000.0 MB    9.3 GB  9.3 GB     cpu',
  ])
  const eased = new Promise((resolve) => m.events.on('ledger.pressure', resolve))
  await m.unload('a')
  expect(await eased).toMatchObject({ level: 'normal' })
  expect(m.resources().text).toContain('no module holds memory')
})

test('nothing is looked at with an interval of 0, and nothing keeps the process alive', async () => {
  const m = await manager({ interval: 0 })
  let asked = 0
  add(m, 'a', {
    health() {
      asked++
      return { status: 'healthy' }
    },
  })
  await m.load('a')
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(asked).toBe(0)
})
