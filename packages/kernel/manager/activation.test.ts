import { afterEach, expect, test } from 'vitest'
import { token } from '../lifecycle/services.js'
import type { ManifestInput } from '../manifest/manifest.js'
import { openManager, temporaryFolder } from '../testing/build.js'
import type { ModuleManager } from './manager.js'
import type { ManagerOptions } from './manager-types.js'

// Modules that are loaded when somebody asks for what they do.

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one()
})

async function manager(options: ManagerOptions = {}): Promise<ModuleManager> {
  const made = await openManager(options)
  undo.push(() => made.shutdown())
  return made
}

interface Speech {
  say(text: string): string
}
const Speech = token<Speech>('speech', '1.0')

function speaker(m: ModuleManager, id: string, rest: Partial<ManifestInput> = {}): void {
  m.register({
    manifest: {
      id,
      version: '1.0.0',
      provides: [{ capability: 'speech', version: '1.0' }],
      activation: ['onCapability:speech'],
      ...rest,
    },
    module: { load: (ctx) => ctx.provide(Speech, { say: (text) => `${id}: ${text}` }) },
  })
}

const states = (m: ModuleManager) => Object.fromEntries(m.listModules().map(({ id, state }) => [id, state]))

test('who acquires a capability gets the best module that may be activated for it', async () => {
  const m = await manager()
  speaker(m, 'plain')
  speaker(m, 'better', { provides: [{ capability: 'speech', version: '1.0', priority: 90 }], resources: { ram: '100GB' } })
  speaker(m, 'best', { provides: [{ capability: 'speech', version: '1.0', priority: 99 }], activation: [] })
  const speech = await m.acquire(Speech)
  expect(speech.say('hello')).toBe('plain: hello')
  expect(states(m)).toEqual({ plain: 'active', better: 'unloaded', best: 'unloaded' })
  expect(m.getModule('plain').wanted).toBe(false)
  expect(m.why('plain').reason).toBe("'plain' is active because it was activated when it was needed.")
})

test('the user chooses among them, and one that is loaded already serves', async () => {
  const m = await manager({ prefer: { speech: 'second' } })
  speaker(m, 'first')
  speaker(m, 'second')
  const [one, two] = await Promise.all([m.acquire(Speech), m.acquire(Speech)])
  expect([one.say('a'), two.say('b')]).toEqual(['second: a', 'second: b'])
  expect(states(m)).toEqual({ first: 'unloaded', second: 'active' })
})

test('when none can be loaded, each says why; when none is to be activated, that is said', async () => {
  const m = await manager()
  await expect(m.acquire(Speech)).rejects.toMatchObject({ code: 'SERVICE_MISSING' })
  speaker(m, 'asleep', { activation: [] })
  await expect(m.acquire(Speech)).rejects.toMatchObject({ code: 'SERVICE_MISSING', alternatives: ['asleep'] })
  speaker(m, 'big', { resources: { ram: '100GB' } })
  speaker(m, 'new', { provides: [{ capability: 'speech', version: '2.0' }] })
  await expect(m.acquire(Speech)).rejects.toMatchObject({
    code: 'NO_PROVIDER',
    message: expect.stringContaining('big: Module requires 102400MB RAM'),
    alternatives: ['big'],
  })
})

test('a module that is disabled is not activated', async () => {
  const m = await manager()
  speaker(m, 'a')
  await m.disable('a')
  await expect(m.acquire(Speech)).rejects.toMatchObject({ code: 'SERVICE_MISSING' })
})

test('running a command loads the modules that wait for it', async () => {
  const { path, remove } = temporaryFolder({
    'tool/module.yaml': [
      'id: tool',
      'version: 1.0.0',
      'entry: ./index.mjs',
      'activation: [ "onCommand:tool:go" ]',
      'contributes: { commands: [ { name: go, entry: ./go.mjs }, { name: look, entry: ./go.mjs } ] }',
    ].join('\n'),
    'tool/index.mjs': 'export default { load: () => ({ ready: () => true }) }',
    'tool/go.mjs': 'export default { execute: () => "done" }',
  })
  undo.push(remove)
  const m = await manager({ modules: [path] })
  m.register({ manifest: { id: 'watcher', version: '1.0.0', activation: ['onCommand:tool:go'] }, module: {} })
  expect(await m.runCommand('tool', 'look')).toBe('done')
  expect(states(m)).toEqual({ tool: 'unloaded', watcher: 'unloaded' })
  expect(await m.runCommand('tool', 'go')).toBe('done')
  expect(states(m)).toEqual({ tool: 'active', watcher: 'active' })
})

test('activate loads what is to be there from the start', async () => {
  const m = await manager()
  m.register({ manifest: { id: 'base', version: '1.0.0' }, module: {} })
  m.register({ manifest: { id: 'early', version: '1.0.0', requires: ['base'], activation: ['onStart'] }, module: {} })
  m.register({ manifest: { id: 'late', version: '1.0.0' }, module: {} })
  expect(await m.activate()).toEqual({ loaded: ['base', 'early'], started: ['base', 'early'] })
  expect(states(m)).toEqual({ base: 'active', early: 'active', late: 'unloaded' })
  expect(await m.activate()).toEqual({ loaded: [], started: [] })
})

test('an event loads the modules that wait for it, once activated and each time they are gone', async () => {
  const m = await manager()
  m.register({ manifest: { id: 'a', version: '1.0.0', activation: ['onEvent:mail.*'] }, module: {} })
  const started = () =>
    new Promise<void>((resolve) => {
      const off = m.events.on('module.started', () => {
        off()
        resolve()
      })
    })
  m.events.emit('mail.new', {})
  await m.activate()
  expect(states(m).a).toBe('unloaded')
  for (const _ of [1, 2]) {
    const up = started()
    m.events.emit('mail.new', {})
    m.events.emit('mail.new', {})
    await up
    await m.unload('a')
  }
  await m.shutdown()
  expect(m.events.size).toBe(0)
})

test('a module that cannot be activated by an event is told, and not tried for ever', async () => {
  const m = await manager()
  let loads = 0
  m.register({
    manifest: { id: 'a', version: '1.0.0', activation: ['onEvent:**'] },
    module: {
      load() {
        loads++
        throw new Error('no')
      },
    },
  })
  await m.activate()
  const warned = new Promise((resolve) => m.events.on('manager.warning', resolve))
  m.events.emit('anything', {})
  expect(await warned).toMatchObject({
    code: 'LOAD_FAILED',
    message: expect.stringContaining("'a' could not be activated by '**'"),
  })
  m.events.emit('anything', {})
  await m.reset('a')
  m.events.emit('anything', {})
  await m.unload('a').catch(() => undefined)
  expect(loads).toBe(1)
})
