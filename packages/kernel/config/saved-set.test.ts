import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ModuleError } from '../errors.js'
import type { ModuleManager } from '../manager/manager.js'
import { openManager, temporaryFolder, tracked } from '../testing/build.js'
import { parseSavedText } from './saved-set.js'

const config = {
  type: 'object',
  properties: { size: { enum: ['small', 'tiny'], default: 'small' }, apiKey: { type: 'string', secret: true, default: '' } },
}

let folder: ReturnType<typeof temporaryFolder>
let path = ''
const open: ModuleManager[] = []

async function fresh(): Promise<ModuleManager> {
  const manager = await openManager()
  open.push(manager)
  tracked(manager, [], 'model', { config })
  tracked(manager, [], 'inference', { requires: ['model'], provides: ['text-generation'] })
  tracked(manager, [], 'extra')
  return manager
}

beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder.path, 'modules.json')
})
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.shutdown()
  folder.remove()
})

test('what was saved is restored: configs, states, who was asked for, disabled modules', async () => {
  const before = await fresh()
  await before.load('model', { size: 'tiny', apiKey: 'hidden' }, { start: false })
  await before.load('inference', undefined, { start: false })
  await before.disable('extra')
  await before.saveConfig(path)
  expect(readFileSync(path, 'utf8')).not.toContain('hidden')
  expect(readdirSync(folder.path)).toEqual(['modules.json'])

  const after = await fresh()
  const report = await after.loadConfig(path, { secrets: { model: { apiKey: 'given' } } })
  expect(report).toMatchObject({ load: ['model', 'inference'], start: [], disable: ['extra'], changed: [] })
  expect(report.text).toBe('+ model\n+ inference\n- extra (disabled)')
  expect(after.getModule('model')).toMatchObject({ state: 'loaded', config: { size: 'tiny', apiKey: '(secret)' }, wanted: true })
  expect(after.getModule('extra').state).toBe('disabled')
})

test('the JSON of the seed is read', async () => {
  const manager = await fresh()
  const text = JSON.stringify({
    loaded_modules: { inference: { config: {}, active: true }, model: { config: { size: 'tiny' }, active: false } },
    disabled_modules: ['extra'],
  })
  writeFileSync(path, text)
  await manager.loadConfig(path)
  expect(manager.listModules().map(({ id, state }) => [id, state])).toEqual([
    ['extra', 'disabled'],
    ['inference', 'active'],
    ['model', 'active'],
  ])
  expect(manager.getModule('model').config).toMatchObject({ size: 'tiny' })
})

test('a set that cannot be restored as a whole leaves nothing of it loaded', async () => {
  const manager = await fresh()
  tracked(manager, [], 'bad', {}, { load: () => Promise.reject(new Error('no')) })
  writeFileSync(path, JSON.stringify({ modules: { model: {}, bad: {} }, disabled: ['extra'] }))
  await expect(manager.loadConfig(path)).rejects.toThrow("Module 'bad' failed to load: no")
  expect(manager.listLoaded()).toEqual([])
  expect(manager.getModule('extra').state).toBe('unloaded')
})

test('a restore makes the set the saved one: what is not in it goes, what has another config is loaded anew', async () => {
  const manager = await fresh()
  await manager.load('model', { size: 'tiny' })
  await manager.saveConfig(path)
  await manager.unload('model')
  await manager.loadAll(['inference', 'extra'])
  const report = await manager.loadConfig(path)
  expect(report.text).toBe('- extra\n- inference\n~ model (config: size)')
  expect(manager.listLoaded()).toEqual(['model'])
  expect(manager.getModule('model')).toMatchObject({ state: 'active', config: { size: 'tiny' }, wanted: true })
})

test('when a restore fails everything is as it was, what it had taken down too', async () => {
  const manager = await fresh()
  tracked(manager, [], 'bad', {}, { load: () => Promise.reject(new Error('no')) })
  await manager.loadAll(['inference'])
  await manager.disable('extra')
  writeFileSync(path, JSON.stringify({ modules: { model: { config: { size: 'tiny' } }, bad: {} } }))
  await expect(manager.loadConfig(path)).rejects.toThrow('no')
  expect(manager.listModules().map(({ id, state }) => [id, state])).toEqual([
    ['bad', 'error'],
    ['extra', 'disabled'],
    ['inference', 'active'],
    ['model', 'active'],
  ])
})

test('a module of another version than the saved one is reported', async () => {
  const manager = await fresh()
  writeFileSync(path, JSON.stringify({ modules: { model: { version: '0.9.0' }, extra: { version: '1.0.0' } } }))
  const report = await manager.loadConfig(path)
  expect(report.changed).toEqual(['model'])
  expect(report.text).toContain('~ model (saved 0.9.0, installed 1.0.0)')
})

test('a module whose files are not the saved ones is refused, with the line and the file, and accepted by name', async () => {
  const at = (name: string) => join(folder.path, 'modules', name)
  const write = (name: string, text: string) => {
    mkdirSync(dirname(at(name)), { recursive: true })
    writeFileSync(at(name), text)
  }
  for (const id of ['a', 'b']) {
    write(`${id}/module.yaml`, `id: ${id}\nversion: 1.0.0\nentry: ./index.mjs`)
    write(`${id}/index.mjs`, 'export default {}')
  }
  const another = async () => {
    const manager = await openManager({ modules: [join(folder.path, 'modules')] })
    open.push(manager)
    return manager
  }
  const before = await another()
  await before.load('a')
  await before.load('b')
  await before.saveConfig(path)
  await (await another()).loadConfig(path)
  write('b/index.mjs', 'export default { load() {} }')
  write('b/more.mjs', '')
  const after = await another()
  const line =
    readFileSync(path, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('"b": {')) + 1
  const refused = await after.loadConfig(path).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'INTEGRITY', module: 'b', file: path, line })
  expect((refused as Error).message).toContain(`${path}:${line}: the files of module 'b'`)
  expect((refused as Error).message).toContain(
    "index.mjs is changed, more.mjs is new. If that is meant, restore with accept: ['b']",
  )
  expect(after.listLoaded()).toEqual([])
  await after.loadConfig(path, { accept: ['b'] })
  expect(after.listLoaded().sort()).toEqual(['a', 'b'])
})

test('a config that was saved by an earlier version of the module is migrated; one of a later version is refused', async () => {
  const manager = await openManager()
  open.push(manager)
  const properties = { preset: { type: 'string' } }
  const migrations = [{ to: 2, rename: { size: 'preset' } }]
  tracked(manager, [], 'model', { config: { type: 'object', properties }, configVersion: 2, migrations })
  writeFileSync(path, JSON.stringify({ modules: { model: { config: { size: 'tiny' } } } }))
  await manager.loadConfig(path)
  expect(manager.getModule('model').config).toEqual({ preset: 'tiny' })
  await manager.saveConfig(path)
  expect(readFileSync(path, 'utf8')).toContain('"configVersion": 2')
  await manager.unload('model')
  writeFileSync(path, JSON.stringify({ modules: { model: { configVersion: 3, config: {} } } }))
  await expect(manager.loadConfig(path)).rejects.toThrow("The config of module 'model' is of version 3")
})

test('a set that is no file, or too large to be one, is refused', async () => {
  const manager = await fresh()
  await expect(manager.loadConfig(folder.path)).rejects.toThrow('it is no file')
  writeFileSync(path, '')
  truncateSync(path, 2 ** 24 + 1)
  await expect(manager.loadConfig(path)).rejects.toMatchObject({ code: 'BAD_SAVED_SET', file: path, line: 1 })
})

test('whatever is in the file, it is a set or an error with file and line', () => {
  const valid = JSON.stringify(
    {
      version: 1,
      modules: {
        model: {
          version: '1.0.0',
          configVersion: 1,
          integrity: `sha512-${'a'.repeat(86)}==`,
          files: { 'module.yaml': 'abc' },
          config: { size: 'tiny', key: { $sealed: 'AAAA' } },
        },
        inference: { active: false },
      },
      bindings: { 'text-generation': 'inference' },
      disabled: ['extra'],
    },
    null,
    2,
  )
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '1',
    '-1',
    'null',
    '"__proto__"',
    '"x":',
    '\u0000',
    '\n',
    '"\\u001b"',
    '[['.repeat(500),
    '1e999',
  )
  const change = fc.record({ at: fc.nat({ max: valid.length }), cut: fc.nat({ max: 20 }), piece: fc.option(piece, { nil: '' }) })
  const seen = { read: 0, refused: 0 }
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    const text = changes.reduce((now, { at, cut, piece: put }) => now.slice(0, at) + put + now.slice(at + cut), valid)
    try {
      const set = parseSavedText(text, '/home/set.json')
      expect(set.modules.every(({ id }) => /^[a-z0-9][a-z0-9-]*$/.test(id))).toBe(true)
      seen.read++
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_SAVED_SET', file: '/home/set.json' })
      const { line, message } = error as ModuleError
      expect(message).toContain(`/home/set.json:${line} `)
      expect(line).toBeLessThanOrEqual(text.split('\n').length)
      seen.refused++
    }
  })
  const numRuns = process.env.ENIGMA_SOAK ? 10_000 : 500
  fc.assert(property, { numRuns })
  expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(numRuns / 100)
})

test.each([
  ['not JSON', 'cannot be read'],
  ['[]', 'it is no object'],
  ['{}', "'modules' is missing"],
  ['{"modules":{"a":1}}', "'a' is no object"],
  ['{"modules":{},"disabled":1}', 'no list'],
  ['{"modules":{"ghost":{}}}', "Module 'ghost' not registered"],
  ['{"modules":{"__proto__":{}}}', 'is no id of a module'],
  ['{"modules":{"model":{},"Model":{}}}', 'twice, in two spellings'],
  ['{"modules":{"model":{}},"disabled":["model"]}', "'model' is both loaded and disabled"],
  ['{"modules":{"model":{"integrity":"sha256-x"}}}', "the integrity of 'model' is no sha512"],
  ['{"version":2,"modules":{}}', 'its version is 2'],
  [`{"modules":{"model":{"config":${'['.repeat(100)}${']'.repeat(100)}}}}`, 'nested deeper than 64 levels'],
])('the malformed set %s is refused', async (text, reason) => {
  const manager = await fresh()
  writeFileSync(path, text)
  await expect(manager.loadConfig(path)).rejects.toThrow(reason)
})

test('a set that cannot be written leaves no half file behind', async () => {
  const manager = await fresh()
  const target = join(folder.path, 'missing', 'modules.json')
  await expect(manager.saveConfig(target)).rejects.toMatchObject({ code: 'BAD_SAVED_SET' })
  expect(existsSync(target)).toBe(false)
})

test('a module that fails to stop undoes the whole restore', async () => {
  const manager = await fresh()
  tracked(manager, [], 'stubborn', {}, { stop: () => Promise.reject(new Error('I stay')) })
  await manager.loadAll(['stubborn', 'extra'])
  const modules = { stubborn: { active: false }, extra: { active: false }, model: { config: { size: 'tiny' } } }
  writeFileSync(path, JSON.stringify({ modules }))
  await expect(manager.loadConfig(path)).rejects.toThrow('I stay')
  expect(manager.listModules().map(({ id, state }) => [id, state])).toEqual([
    ['extra', 'active'],
    ['inference', 'unloaded'],
    ['model', 'unloaded'],
    ['stubborn', 'error'],
  ])
})

test('what a restored set was resolved to holds for later loads, until somebody decides otherwise', async () => {
  const machine = async () => {
    const manager = await openManager()
    open.push(manager)
    for (const id of ['first', 'second', 'third'])
      tracked(manager, [], id, { provides: [{ capability: 'speech', version: '1.0.0', cardinality: 'shared' }] })
    tracked(manager, [], 'user', { requires: ['speech'] })
    return manager
  }
  const before = await machine()
  await before.load('second')
  await before.saveConfig(path)

  const after = await machine()
  await after.loadConfig(path)
  await after.load('first')
  await after.load('user')
  expect(after.why('second').dependents).toEqual(['user'])
  await after.unload('user')
  await after.swap('second', 'third')
  expect((await after.load('user')).closure).toEqual([])
  expect(after.listLoaded()).not.toContain('second')
})

test('what a saved set was bound to gives way when it is disabled there', async () => {
  const manager = await fresh()
  tracked(manager, [], 'other', { provides: ['text-generation'] })
  tracked(manager, [], 'user', { requires: ['text-generation'] })
  const text = { version: 1, modules: { user: {} }, bindings: { 'text-generation': 'inference' }, disabled: ['inference'] }
  writeFileSync(path, JSON.stringify(text))
  await manager.loadConfig(path)
  expect(manager.listLoaded()).toEqual(['other', 'user'])
})

test('a module that waits to be started again stays away when the restored set is without it', async () => {
  const manager = await openManager({ supervision: { base: 20 } })
  open.push(manager)
  let fail = () => {}
  manager.register({
    manifest: { id: 'daemon', version: '1.0.0', lifecycle: { restart: 'on-failure' } },
    module: { load: (ctx) => void (fail = () => ctx.fail(new Error('gone'))) },
  })
  await manager.saveConfig(path)
  await manager.load('daemon')
  const restarting = new Promise((resolve) => manager.events.on('module.restarting', resolve))
  fail()
  await restarting
  await manager.loadConfig(path)
  await new Promise((resolve) => setTimeout(resolve, 40))
  expect(manager.listLoaded()).toEqual([])
})
