import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { ModuleManager } from '../manager/manager.js'
import { openManager, temporaryFolder } from '../testing/build.js'
import { checkModules } from './check.js'

let folder: ReturnType<typeof temporaryFolder> | undefined
let manager: ModuleManager | undefined
afterEach(async () => {
  await manager?.shutdown()
  folder?.remove()
  folder = undefined
  manager = undefined
})

function files(all: Record<string, string>): string {
  folder = temporaryFolder(all)
  return folder.path
}

const good =
  'export default { load(ctx) { globalThis.enigmaTestLoads = (globalThis.enigmaTestLoads ?? 0) + 1; return { hi: () => ctx.config.word } } }'

test('modules are found in folders and run only when they are loaded', async () => {
  const path = files({
    'hello/module.yaml':
      'id: hello\nversion: 1.0.0\nentry: ./index.mjs\nconfig: { type: object, properties: { word: { type: string, default: hi } } }',
    'hello/index.mjs': `globalThis.enigmaTestImported = true\n${good}`,
    'notes.txt': 'no module',
    'empty/readme.md': 'no module either',
  })
  manager = await openManager({ modules: [path, join(path, 'hello')] })
  expect(manager.listModules().map(({ id }) => id)).toEqual(['hello'])
  expect('enigmaTestImported' in globalThis).toBe(false)
  await manager.load('hello', { word: 'hey' })
  expect('enigmaTestImported' in globalThis).toBe(true)
  expect(manager.getInterface<{ hi(): string }>('hello').hi()).toBe('hey')
})

test('a broken manifest is listed with its error and stops nobody else', async () => {
  const path = files({
    'bad/module.yaml': 'id: bad\nversion: 1.0.0\nrequirs: [x]',
    'worse/module.yaml': 'id: [',
    'fine/module.yaml': 'id: fine\nversion: 1.0.0\nentry: ./index.mjs',
    'fine/index.mjs': 'export default {}',
  })
  manager = await openManager({ modules: [path] })
  expect(manager.listModules().map(({ id, broken, state }) => [id, broken, state])).toEqual([
    ['bad', true, 'error'],
    ['fine', false, 'unloaded'],
    ['worse', true, 'error'],
  ])
  await manager.load('fine')
  await expect(manager.load('bad')).rejects.toMatchObject({ code: 'BROKEN_MANIFEST' })
  await expect(manager.load('bad')).rejects.toThrow("unknown key 'requirs'; did you mean 'requires'?")
})

test('a duplicate id is an error that names both folders', async () => {
  const path = files({
    'one/module.yaml': 'id: same\nversion: 1.0.0',
    'two/module.yaml': 'id: same\nversion: 2.0.0',
    'other/module.yaml': 'id: other\nversion: 1.0.0',
  })
  manager = await openManager({ modules: [path] })
  const reason = (await manager.tryLoad('same')).reason
  expect(reason).toContain(join(path, 'one'))
  expect(reason).toContain(join(path, 'two'))
  expect((await manager.canLoad('same')).code).toBe('DUPLICATE_ID')
  expect((await manager.canLoad('other')).ok).toBe(true)
})

test('a folder that does not exist is an error', async () => {
  await expect(openManager({ modules: ['/does/not/exist'] })).rejects.toThrow(
    "The modules folder '/does/not/exist' does not exist",
  )
})

test('an entry that is missing, or exports no module, is named at load', async () => {
  const path = files({
    'a/module.yaml': 'id: a\nversion: 1.0.0',
    'b/module.yaml': 'id: b\nversion: 1.0.0\nentry: ./b.mjs',
    'b/b.mjs': 'export const x = 1',
    'c/module.yaml': 'id: c\nversion: 1.0.0\nentry: ./c.mjs',
    'c/c.mjs': 'syntax error here',
  })
  manager = await openManager({ modules: [path] })
  expect((await manager.tryLoad('a')).reason).toContain('./dist/index.js does not exist')
  expect((await manager.tryLoad('b')).reason).toContain('no default export made by defineModule')
  await expect(manager.load('c')).rejects.toMatchObject({ code: 'LOAD_FAILED' })
})

test('check reports every problem, with its file and key', async () => {
  const path = files({
    'a/module.yaml': 'id: a\nversion: 1.0.0\nrequires: [b]\nentry: ./i.mjs',
    'b/module.yaml': 'id: b\nversion: 1.0.0\nrequires: [c]\nentry: ./i.mjs',
    'c/module.yaml': 'id: c\nversion: 1.0.0\nrequires: [a, nothing]\nentry: ./i.mjs',
    'd/module.yaml': 'id: d\nversion: one\nkynd: plugin',
    'e/module.yaml': 'id: e\nversion: 1.0.0\nentry: ./gone.mjs\ncontributes: { commands: [ { name: go } ] }',
    'g/module.yaml': 'id: e\nversion: 1.0.0\nentry: ./i.mjs',
    'a/i.mjs': 'export default {}',
    'b/i.mjs': 'export default {}',
    'c/i.mjs': 'export default {}',
    'g/i.mjs': 'export default {}',
  })
  const problems = await checkModules([path])
  expect(problems.map(({ code, module, key }) => `${code} ${module} ${key}`).sort()).toEqual([
    'BAD_MANIFEST d kynd',
    'BAD_MANIFEST d version',
    'CYCLE a requires',
    'DUPLICATE_ID e id',
    'DUPLICATE_ID e id',
    'NO_PROVIDER c requires',
  ])
  expect(problems.find(({ code }) => code === 'CYCLE')!.message).toContain('a -> b -> c -> a')
  expect(problems.find(({ code }) => code === 'BAD_MANIFEST')!.file).toBe(join(path, 'd', 'module.yaml'))
  expect(await checkModules([join(path, 'e')])).toMatchObject([
    { code: 'ENTRY_MISSING', key: 'entry' },
    { code: 'ENTRY_MISSING', key: 'contributes.commands.go' },
  ])
})

test('a contributed command runs, with defaults, and loads the module it asks for', async () => {
  const path = files({
    'm/module.yaml': `
id: m
version: 1.0.0
entry: ./index.mjs
contributes:
  commands: [ { name: greet, entry: ./greet.mjs, options: [ { name: who, default: you } ] } ]
`,
    'm/index.mjs': "export default { load: () => ({ greet: (who) => 'hello ' + who }) }",
    'm/greet.mjs':
      "export const greetCommand = { name: 'greet', description: '', execute: async (c) => (await c.getInterface('m')).greet(c.options.who) + c.args.join('') }",
  })
  manager = await openManager({ modules: [path] })
  expect(manager.listModules()[0]!.commands.map(({ name }) => name)).toEqual(['greet'])
  expect(await manager.runCommand('m', 'greet', { args: ['!'] })).toBe('hello you!')
  await expect(manager.runCommand('m', 'bye')).rejects.toThrow("Module 'm' has no command 'bye'; it has: greet.")
})

test('a folder in the seed dialect, with a class as its code, is a module', async () => {
  const path = files({
    'my-daemon/module.yaml':
      'name: my-daemon\ntype: daemon\nversion: 1.0.0\ndescription: d\nprovides: beats\nconfig: { interval: 5 }',
    'my-daemon/dist/index.js': `
export class MyDaemonModule {
  name = 'my-daemon'; type = 'daemon'; version = '1.0.0'; running = false
  configure(config) { this.interval = config.interval }
  async initialize() { this.ready = true }
  async start() { this.running = true }
  async stop() { this.running = false }
  isRunning() { return this.running }
  async shutdown() { await this.stop() }
}`,
    'package.json': '{ "type": "module" }',
  })
  manager = await openManager({ modules: [path] })
  await manager.load('my_daemon')
  const daemon = manager.getInterface<{ isRunning(): boolean; interval: number }>('my-daemon')
  expect([daemon.isRunning(), daemon.interval]).toEqual([true, 5])
  await manager.stop('my-daemon')
  expect(daemon.isRunning()).toBe(false)
})
