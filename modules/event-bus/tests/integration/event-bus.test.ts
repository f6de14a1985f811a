import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Emitter, EventBusService } from '@enigma/contracts'
import { checkModules, type ModuleContext, ModuleManager, ServiceGone } from '@enigma/kernel'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { EventBusInterface, JournalEvent } from '../../types.js'

// The module as it ships, through a real manager.

const moduleFolder = fileURLToPath(new URL('../../../', import.meta.url))

let folder = ''
let events = ''
let manager: ModuleManager
const before = process.env.ENIGMA_HOME
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-events-'))
  process.env.ENIGMA_HOME = folder
  events = join(folder, 'state', 'events')
  manager = await ModuleManager.open({ modules: [moduleFolder], hardware: { gpus: [] } })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await manager.shutdown()
  if (before === undefined) delete process.env.ENIGMA_HOME
  else process.env.ENIGMA_HOME = before
  rmSync(folder, { recursive: true, force: true })
})

const bus = (): EventBusInterface => manager.getInterface('event-bus')
const run = (name: string, args: string[] = [], options = {}) => manager.runCommand('event-bus', name, { args, options })

/** A module that is given its own view of the bus, in its load or its start. */
function user(id: string, use: (own: Emitter, ctx: ModuleContext) => void, when: 'load' | 'start' = 'load'): void {
  manager.register({
    manifest: { id, version: '1.0.0', requires: ['event-bus@^1'] },
    module: { [when]: (ctx: ModuleContext) => use(ctx.use(EventBusService).for(ctx), ctx) },
  })
}

test('the manifest is clean', async () => {
  expect(await checkModules([moduleFolder])).toEqual([])
  expect(manager.listModules()).toMatchObject([{ id: 'event-bus', kind: 'service', provides: ['event-bus'] }])
})

test('there is one bus: what is emitted here is heard there, and the other way round', async () => {
  await manager.load('event-bus')
  const heard: unknown[] = []
  manager.events.on('a', (payload) => heard.push(['there', payload]))
  bus().on('a', (payload) => heard.push(['here', payload]))
  expect(bus().emit('a', 1)).toBe(2)
  manager.events.emit('a', 2)
  expect(heard).toEqual([
    ['there', 1],
    ['here', 1],
    ['there', 2],
    ['here', 2],
  ])
})

test('one function on two events keeps both, and is taken off one at a time', async () => {
  await manager.load('event-bus')
  const heard: string[] = []
  const listener = (_: unknown, name: string) => heard.push(name)
  bus().on('a', listener)
  bus().on('b', listener)
  bus().on('a', listener)
  for (const name of ['a', 'b']) bus().emit(name, 0)
  expect(bus().off('a', listener)).toBe(true)
  expect(bus().off('a', listener)).toBe(false)
  for (const name of ['a', 'b']) bus().emit(name, 0)
  expect(heard).toEqual(['a', 'b', 'b'])
})

test('on gives what ends it, once hears one event, and patterns hear many', async () => {
  await manager.load('event-bus')
  const heard: string[] = []
  const off = bus().on('a.*', (_, name) => heard.push(`pattern ${name}`))
  bus().once('a.b', (payload) => heard.push(`once ${payload}`))
  bus().emit('a.b', 1)
  bus().emit('a.b', 2)
  off()
  off()
  bus().emit('a.c', 3)
  expect(heard).toEqual(['pattern a.b', 'once 1', 'pattern a.b'])
  expect(bus().listenerCount()).toBe(0)
})

test('listeners are counted and removed by event, or all', async () => {
  await manager.load('event-bus')
  bus().on('a', () => 1)
  bus().on('a', () => 2)
  bus().on('b', () => 3)
  expect([bus().listenerCount('a'), bus().listenerCount(), bus().removeAllListeners('a')]).toEqual([2, 3, 2])
  expect([bus().listenerCount('a'), bus().removeAllListeners(), bus().emit('b', 0)]).toEqual([0, 1, 0])
})

test('listeners of a module end with it, those of its start with its stop, and counts are its own', async () => {
  await manager.load('event-bus')
  const heard: string[] = []
  const counts: number[] = []
  user('in-load', (own) => {
    own.on('a', () => heard.push('in-load'))
    counts.push(own.listenerCount(), own.listenerCount('a'))
  })
  user('in-start', (own) => own.on('a', () => heard.push('in-start')), 'start')
  bus().on('a', () => heard.push('program'))
  await manager.load('in-load')
  await manager.load('in-start')
  expect(counts).toEqual([1, 1])
  expect(bus().listeners()).toEqual([
    { event: 'a', module: 'event-bus' },
    { event: 'a', module: 'in-load' },
    { event: 'a', module: 'in-start' },
  ])
  await manager.stop('in-start')
  expect(bus().emit('a', 0)).toBe(2)
  await manager.start('in-start')
  expect(bus().listenerCount('a')).toBe(3)
  await manager.unload('in-load')
  await manager.unload('in-start')
  expect([bus().emit('a', 0), bus().listenerCount()]).toEqual([1, 1])
  expect(heard).toEqual(['program', 'in-load', 'program'])
})

test("a module's removeAllListeners leaves the listeners of others", async () => {
  await manager.load('event-bus')
  bus().on('a', () => 1)
  const shared = () => 2
  bus().on('b', shared)
  user('tidy', (own) => {
    own.on('b', shared)
    own.on('a', shared)
    own.off('b', shared)
    own.removeAllListeners()
  })
  await manager.load('tidy')
  expect([bus().listenerCount('a'), bus().listenerCount('b')]).toEqual([1, 1])
})

test('an error names the module that listened, stops nobody, and five in a row end the listener', async () => {
  await manager.load('event-bus')
  const errors: unknown[] = []
  manager.events.on('bus.error', ({ event, module, message, suspended }) => errors.push([event, module, message, suspended]))
  let calls = 0
  user('clumsy', (own) => {
    own.on('a', () => {
      throw new Error(`boom ${++calls}`)
    })
    own.on('b', () => Promise.reject(new Error('later')))
  })
  await manager.load('clumsy')
  const after = vi.fn()
  bus().on('a', after)
  for (let n = 0; n < 7; n++) bus().emit('a', n)
  expect([calls, after.mock.calls.length, bus().listenerCount('a')]).toEqual([5, 7, 1])
  expect(errors[0]).toEqual(['a', 'clumsy', 'boom 1', false])
  expect(errors[4]).toEqual(['a', 'clumsy', 'boom 5', true])
  for (let n = 0; n < 5; n++) bus().emit('b', n)
  await vi.waitUntil(() => errors.length === 10)
  expect(errors[9]).toEqual(['b', 'clumsy', 'later', true])
  expect(bus().listenerCount('b')).toBe(0)
})

test('more than maxListeners for one event are warned of, once, with their modules', async () => {
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  await manager.load('event-bus')
  for (let n = 0; n < 100; n++) bus().on('a', () => n)
  expect(warnings).toEqual([])
  user('leaky', (own) => {
    for (let n = 0; n < 3; n++) own.on('a', () => n)
  })
  await manager.load('leaky')
  expect(warnings).toEqual([expect.stringContaining("'a' has 101 listeners (event-bus 100, leaky 1), more than 100.")])
  await manager.configure('event-bus', { maxListeners: 1 })
  bus().on('b', () => 1)
  bus().on('b', () => 2)
  expect(warnings[1]).toContain("'b' has 2 listeners")
})

test('when the service goes, listeners of modules stay with them, and a view that somebody kept refuses more', async () => {
  await manager.load('event-bus')
  const [program, keeper] = [vi.fn(), vi.fn()]
  bus().on('a', program)
  let kept: Emitter | undefined
  manager.register({
    manifest: { id: 'keeper', version: '1.0.0', optional: ['event-bus'] },
    module: {
      load(ctx) {
        kept = ctx.maybe(EventBusService)!.for(ctx)
        kept.on('a', keeper)
      },
    },
  })
  await manager.load('keeper')
  await manager.unload('event-bus')
  manager.events.emit('a', 1)
  expect([program.mock.calls.length, keeper.mock.calls.length]).toEqual([0, 1])
  expect(() => kept!.on('b', keeper)).toThrow(ServiceGone)
  await manager.unload('keeper')
  expect(manager.events.emit('a', 2)).toBe(0)
})

test('a reload keeps all listeners, and the views that modules hold', async () => {
  await manager.load('event-bus')
  const heard: string[] = []
  const program = () => heard.push('program')
  bus().on('a', program)
  let view: Emitter | undefined
  user('stays', (own) => {
    view = own
    own.on('a', () => heard.push('module'))
  })
  await manager.load('stays')
  expect(await manager.reload('event-bus')).toMatchObject({ up: true, handedOver: true })
  expect(bus().emit('a', 0)).toBe(2)
  expect(heard.sort()).toEqual(['module', 'program'])
  view!.on('b', () => heard.push('later'))
  expect([bus().listenerCount('b'), bus().off('a', program), bus().emit('a', 0)]).toEqual([1, true, 1])
  await manager.unload('stays')
  expect(bus().listenerCount()).toBe(0)
})

test('the journal is off unless asked for', async () => {
  await manager.load('event-bus')
  bus().emit('a', 1)
  expect(await run('list')).toBe('The journal has no such event.')
  expect(readdirSync(events)).toEqual(['inbox'])
  expect(await run('status')).toContain('journal    none')
})

test('with persist events are kept, log records not, and can be listed, shown and cleared', async () => {
  await manager.load('event-bus', { persist: true })
  bus().emit('door.opened', { by: 'Ada', password: 'x' })
  manager.events.emit('log', { module: 'm', level: 'info', message: 'hi' })
  bus().emit('door.closed', { by: 'Bob' })
  const list = (await run('list', [], { event: 'door', format: 'json' })) as JournalEvent[]
  expect(list).toMatchObject([
    { event: 'door.opened', payload: { by: 'Ada', password: '[redacted]' }, pid: process.pid },
    { event: 'door.closed', payload: { by: 'Bob' } },
  ])
  expect((await run('list', [], { format: 'json' })) as JournalEvent[]).not.toContainEqual(
    expect.objectContaining({ event: 'log' }),
  )
  expect(await run('list', [], { event: 'door', limit: 1 })).toBe(`${list[1]!.id}  ${list[1]!.time}  door.closed  {"by":"Bob"}`)
  expect(await run('get', [list[0]!.id])).toEqual(list[0])
  await expect(run('get', ['nope'])).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  await expect(run('get')).rejects.toThrow('Say which')
  expect(statSync(join(events, 'events.jsonl')).mode & 0o777).toBe(0o600)
  expect(await run('clear')).toMatch(/^Removed [1-9]\d* bytes of events$/)
  // The process that writes goes on writing to the file that was emptied.
  bus().emit('door.opened', { by: 'Eve' })
  expect(await run('list', [], { format: 'json' })).toMatchObject([{ payload: { by: 'Eve' } }])
})

test('the journal has a bounded size, keeps the newest, and can be kept for some events only', async () => {
  await manager.load('event-bus', { persist: true, pattern: 'n.*', maxSize: '1KB', maxFiles: 2 })
  for (let n = 0; n < 100; n++) bus().emit('n.x', n)
  bus().emit('other', 0)
  expect(readdirSync(events).sort()).toEqual(['events.1.jsonl', 'events.jsonl', 'inbox'])
  const kept = (await run('list', [], { limit: 1000, format: 'json' })) as JournalEvent[]
  const first = 100 - kept.length
  expect(kept.length).toBeGreaterThan(8)
  expect(kept.map(({ payload }) => payload)).toEqual(kept.map((_, i) => first + i))
  expect(await run('clear')).toContain('bytes of events')
  expect(readdirSync(events).sort()).toEqual(['events.jsonl', 'inbox'])
})

test('a damaged journal gives what can be read', async () => {
  await manager.load('event-bus', { persist: true, pattern: 'n' })
  bus().emit('n', 1)
  appendFileSync(join(events, 'events.jsonl'), '\0\0 half a line {"id":\n[]\n')
  bus().emit('n', 2)
  expect(((await run('list', [], { format: 'json' })) as JournalEvent[]).map(({ payload }) => payload)).toEqual([1, 2])
})

test('a journal that cannot be written is said once and shown by health', async () => {
  await manager.load('event-bus', { persist: true, pattern: 'n', maxSize: '1KB' })
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  rmSync(events, { recursive: true })
  writeFileSync(events, 'a file where the folder was')
  for (let n = 0; n < 40; n++) bus().emit('n', n)
  expect(warnings).toEqual([expect.stringContaining('cannot be written')])
  expect((await manager.health('event-bus'))['event-bus']!.status).toBe('degraded')
})

test('emit reaches the processes that run the module', async () => {
  await expect(run('emit', ['door.opened'])).rejects.toThrow("No process runs the module 'event-bus'")
  await manager.load('event-bus')
  const heard = new Promise((resolve) => manager.events.once('door.opened', resolve))
  expect(await run('emit', ['door.opened'], { data: '{"by":"Ada"}' })).toBe(`Left 'door.opened' for process ${process.pid}`)
  expect(await heard).toEqual({ by: 'Ada' })
  expect(await run('status', [], { format: 'json' })).toMatchObject({ processes: [process.pid] })
  await manager.stop('event-bus')
  expect(readdirSync(join(events, 'inbox'))).toEqual([])
})

test.each([
  [[], {}, 'Say which'],
  [['module.error'], {}, 'is an event of the module system itself'],
  [['log'], {}, 'is an event of the module system itself'],
  [['a.*'], {}, 'is a pattern'],
  [[''], {}, 'is a pattern'],
  [['x'.repeat(201)], {}, 'longer than 200'],
  [['a'], { data: '{' }, '--data is no JSON'],
  [['a'], { data: JSON.stringify('x'.repeat(70_000)) }, 'No process had room'],
])('emit %j is refused', async (args, options, message) => {
  await manager.load('event-bus')
  await expect(run('emit', args, options)).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining(message),
  })
})

test('what other programs drop into the inbox is checked again', async () => {
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  await manager.load('event-bus')
  const own = join(events, 'inbox', readdirSync(join(events, 'inbox'))[0]!)
  const heard = new Promise((resolve) => manager.events.once('ok', resolve))
  for (const [n, text] of [
    '{',
    'null',
    '{"event":7}',
    '{"event":"module.error","payload":{}}',
    '{"event":"ok","payload":1}',
  ].entries()) {
    writeFileSync(join(own, `${n}.mail`), text)
  }
  expect(await heard).toBe(1)
  expect(warnings).toHaveLength(4)
  expect(manager.events.recent('module.error')).toEqual([])
})

test('two managers of one process both hear what comes in', async () => {
  await using other = await ModuleManager.open({ modules: [moduleFolder], hardware: { gpus: [] } })
  await manager.load('event-bus')
  await other.load('event-bus')
  const heard = [manager, other].map(({ events: bus }) => new Promise((resolve) => bus.once('a', resolve)))
  await run('emit', ['a'], { data: '1' })
  expect(await Promise.all(heard)).toEqual([1, 1])
})

test('without a state folder events go round, and only those of other processes cannot come in', async () => {
  writeFileSync(join(folder, 'state'), 'a file where the folder belongs')
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  await manager.load('event-bus')
  expect(warnings).toEqual([expect.stringContaining('Events of other processes cannot come in')])
  const heard = vi.fn()
  bus().on('a', heard)
  bus().emit('a', 1)
  expect(heard).toHaveBeenCalledOnce()
})

test('start and stop may be said twice, and stop leaves no timer', async () => {
  const timers = vi.spyOn(globalThis, 'setInterval')
  const cleared = vi.spyOn(globalThis, 'clearInterval')
  await manager.load('event-bus')
  await manager.start('event-bus')
  await manager.stop('event-bus')
  await manager.stop('event-bus')
  const made = timers.mock.calls.flatMap(([, ms], i) => (ms === 500 ? [timers.mock.results[i]!.value] : []))
  expect(made).toHaveLength(1)
  expect(cleared.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(made))
})

test('maxListeners is applied at once, the journal needs a restart', async () => {
  await manager.load('event-bus')
  await manager.configure('event-bus', { maxListeners: 5 })
  await expect(manager.configure('event-bus', { persist: true })).rejects.toMatchObject({ code: 'CONFIG_NEEDS_RESTART' })
})
