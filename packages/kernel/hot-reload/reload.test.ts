import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModuleManager } from '../manager/manager.js'
import { openManager, temporaryFolder } from '../testing/build.js'

// Edits of a module's files, as a developer makes them, and what of them the running program takes over.

interface Word {
  word(): string
}

const yaml = (rest = '') => `id: word\nversion: 1.0.0\nentry: ./index.js\n${rest}`
const code = (word: string, rest = '') => `${rest}\nexport default { load: () => ({ word: () => '${word}' }) }\n`

let root: ReturnType<typeof temporaryFolder>
let manager: ModuleManager
beforeEach(async () => {
  root = temporaryFolder({ 'word/module.yaml': yaml(), 'word/package.json': '{"type":"module"}', 'word/index.js': code('one') })
  manager = await openManager({ modules: [join(root.path, 'word')] })
})
afterEach(async () => {
  await manager.shutdown()
  root.remove()
})

const edit = (text: string, file = 'index.js') => writeFileSync(join(root.path, 'word', file), text)
const word = () => manager.getInterface<Word>('word')

describe('reload of a module on disk', () => {
  it('leads the handles that others hold to the new code, again and again', async () => {
    await manager.load('word')
    const held = word()
    for (const text of ['two', 'three', 'four']) {
      edit(code(text))
      expect(await manager.reload('word')).toMatchObject({ id: 'word', up: true })
      expect(held.word()).toBe(text)
    }
  })

  it.each([
    ['a syntax error', 'index.js', 'export default {', 'index.js:1: '],
    ['top-level await', 'index.js', code('two', 'await 1'), 'index.js:1: top-level await'],
    ['an error as it is evaluated', 'index.js', code('two', "throw new Error('at once')"), 'at once'],
    ['a load that fails', 'index.js', "export default { load() { throw new Error('in load') } }", 'in load'],
    [
      'a start that fails',
      'index.js',
      "export default { load: () => ({}), start() { throw new Error('in start') } }",
      'in start',
    ],
    ['no module at all', 'index.js', 'export const x = 1', 'no default export'],
    ['a manifest that is wrong', 'module.yaml', yaml('requirs: [x]'), "'requirs'"],
    ['a manifest with another id', 'module.yaml', yaml().replace('word', 'sentence'), "calls itself 'sentence'"],
    ['a requirement that nothing meets', 'module.yaml', yaml('requires: [ghost]'), 'ghost'],
  ])('is refused by %s, and the code of before serves', async (_, file, text, message) => {
    await manager.load('word')
    const held = word()
    edit(text, file)
    await expect(manager.reload('word')).rejects.toThrow(message)
    expect(held.word()).toBe('one')
    expect(manager.getModule('word').state).toBe('active')
    edit(file === 'index.js' ? code('two') : yaml(), file)
    if (file === 'module.yaml') edit(code('two'))
    await manager.reload('word')
    expect(held.word()).toBe('two')
  })

  it('takes the code of its commands over', async () => {
    edit(yaml('contributes: { commands: [{ name: say, entry: ./say.js }] }'), 'module.yaml')
    edit("export default { execute: () => 'one' }", 'say.js')
    await manager.reload('word')
    expect(await manager.runCommand('word', 'say')).toBe('one')
    edit("export default { execute: () => 'two' }", 'say.js')
    await manager.reload('word')
    expect(await manager.runCommand('word', 'say')).toBe('two')
  })

  it('hands state over from the old code to the new', async () => {
    const counting = (by: number) =>
      `let n = 0; export default { load: () => ({ word: () => String(n += ${by}) }), snapshot: () => n, restore: (ctx, state) => { n = state } }`
    edit(counting(1))
    await manager.load('word')
    expect([word().word(), word().word()]).toEqual(['1', '2'])
    edit(counting(10))
    expect(await manager.reload('word')).toMatchObject({ handedOver: true })
    expect(word().word()).toBe('12')
  })

  it('takes a new manifest over: version and config', async () => {
    await manager.load('word')
    edit(
      yaml('config: { type: object, properties: { loud: { type: boolean, default: true } } }').replace('1.0.0', '1.1.0'),
      'module.yaml',
    )
    edit('export default { load: (ctx) => ({ word: () => String(ctx.config.loud) }) }')
    expect(await manager.reload('word')).toMatchObject({ version: '1.1.0' })
    expect(word().word()).toBe('true')
    expect(manager.getModule('word').info.version).toBe('1.1.0')
  })

  it('keeps nothing of the old code: at most 2 KB per reload of a module that holds 1 MiB', () => {
    // A multiple of 64: as many schemas of configs are kept before they are dropped together.
    const reloads = process.env.ENIGMA_SOAK ? 640 : 64
    const at = (file: string) => JSON.stringify(fileURLToPath(new URL(file, import.meta.url)))
    const program = `
      import { writeFileSync } from 'node:fs'
      import { ModuleManager } from ${at('../manager/manager.js')}
      const folder = ${JSON.stringify(join(root.path, 'word'))}
      const manager = await ModuleManager.open({ modules: [folder] })
      await manager.load('word')
      const held = manager.getInterface('word')
      const reload = async (i) => {
        const schema = 'config: { type: object, properties: { n: { type: integer, default: ' + i + ' } } }'
        writeFileSync(folder + '/module.yaml', ${JSON.stringify(yaml())} + schema)
        writeFileSync(folder + '/index.js', 'const held = new Uint8Array(2 ** 20).fill(1)\\n' +
          'export default { load: (ctx) => (ctx.events.on("x", () => held), ctx.timers.setInterval(() => held, 1e6), { word: () => held[0] * ' + i + ' }) }')
        await manager.reload('word')
        if (held.word() !== i) throw new Error('not the new code')
      }
      const used = async () => {
        // What a compiler or a collection in the background still holds is free some turns later.
        for (let i = 0; i < 16; i++) { await new Promise((then) => setTimeout(then, i)); gc() }
        const { heapUsed, arrayBuffers } = process.memoryUsage()
        return { heapUsed, arrayBuffers }
      }
      // The history of events is full before anything is measured.
      for (let i = 0; i < 4096; i++) manager.events.emit('module.state', { id: 'word', from: 'loaded', to: 'active' })
      for (let i = 1; i <= 64; i++) await reload(i)
      const before = await used()
      for (let i = 65; i <= 64 + ${reloads}; i++) await reload(i)
      const after = await used()
      await manager.shutdown()
      console.log(JSON.stringify({ heap: (after.heapUsed - before.heapUsed) / ${reloads}, buffers: (after.arrayBuffers - before.arrayBuffers) / ${reloads} }))`
    const child = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(child.stderr).toBe('')
    const { heap, buffers } = JSON.parse(child.stdout) as { heap: number; buffers: number }
    expect(buffers).toBeLessThan(1)
    expect(heap).toBeLessThan(2048)
  })
})

describe('manager.watch', () => {
  const next = (name: 'module.reloaded' | 'module.reload-failed') =>
    new Promise((resolve) => {
      const off = manager.events.on(name, (payload) => {
        off()
        resolve(payload)
      })
    })

  it('takes edits over as they are saved, and keeps the old code through broken ones', async () => {
    await manager.load('word')
    const held = word()
    await using watch = await manager.watch('word')
    expect(watch.modules).toEqual(['word'])
    let told = next('module.reloaded')
    edit(code('two'))
    expect(await told).toMatchObject({ id: 'word' })
    expect(held.word()).toBe('two')

    told = next('module.reload-failed')
    edit('export default {')
    expect(await told).toEqual({ id: 'word', message: expect.stringContaining('index.js:1') })
    expect(held.word()).toBe('two')

    told = next('module.reloaded')
    edit(code('three'))
    await told
    expect(held.word()).toBe('three')
  })

  it('takes over an edit that is saved while a reload runs', async () => {
    await manager.load('word')
    const held = word()
    await using _ = await manager.watch()
    const slow = "import { setImmediate } from 'node:timers/promises'"
    const begun = new Promise<void>((resolve) => manager.events.on('module.loading', () => resolve()))
    let told = next('module.reloaded')
    edit(
      `${slow}\nexport default { async load() { for (let i = 0; i < 50; i++) await setImmediate(); return { word: () => 'two' } } }`,
    )
    await begun
    edit(code('three'))
    await told
    expect(held.word()).toBe('two')
    told = next('module.reloaded')
    await told
    expect(held.word()).toBe('three')
  })

  it('loads a module again that failed, once it is mended', async () => {
    edit("export default { load() { throw new Error('not yet') } }")
    await expect(manager.load('word')).rejects.toThrow('not yet')
    await using _ = await manager.watch()
    const started = new Promise((resolve) => manager.events.on('module.started', resolve))
    edit(code('mended'))
    await started
    expect(manager.getModule('word').state).toBe('active')
    expect(word().word()).toBe('mended')
  })

  it('ends with the manager', async () => {
    await manager.load('word')
    await manager.watch()
    await manager.shutdown()
    await expect(manager.watch('nobody')).rejects.toMatchObject({ code: 'NOT_REGISTERED' })
  })
})
