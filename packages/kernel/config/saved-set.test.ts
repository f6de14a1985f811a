import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ModuleManager } from '../manager/manager.js'
import { openManager, temporaryFolder, tracked } from '../testing/build.js'

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
  const report = await after.loadConfig(path, { model: { apiKey: 'given' } })
  expect(report).toMatchObject({ loaded: ['model', 'inference'], started: [], disabled: ['extra'], changed: [] })
  expect(report.text).toBe('+ model\n+ inference\n- extra (disabled)')
  expect(after.getModule('model')).toMatchObject({ state: 'loaded', config: { size: 'tiny', apiKey: 'given' }, wanted: true })
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

test('a module of another version than the saved one is reported', async () => {
  const manager = await fresh()
  writeFileSync(path, JSON.stringify({ modules: { model: { version: '0.9.0' }, extra: { version: '1.0.0' } } }))
  const report = await manager.loadConfig(path)
  expect(report.changed).toEqual(['model'])
  expect(report.text).toContain('~ model differs from the saved one')
})

test.each([
  ['not JSON', 'cannot be read'],
  ['[]', 'it is no object'],
  ['{}', "'modules' is missing"],
  ['{"modules":{"a":1}}', "'a' is no object"],
  ['{"modules":{},"disabled":1}', 'no list'],
  ['{"modules":{"ghost":{}}}', "Module 'ghost' not registered"],
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
