import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { token } from '../lifecycle/services.js'
import type { ManifestInput } from '../manifest/manifest.js'
import { type ApartModule, openApart } from '../testing/apart.js'

// What holds for modules in processes and threads alike: to those who use them they are modules like others.

interface Echo {
  readonly version: string
  add(a: number, b: number): Promise<number>
  bytes(given: Uint8Array): Promise<Uint8Array>
  count(to: number, signal?: AbortSignal): AsyncIterable<number> & Promise<AsyncIterable<number>>
  ended(): Promise<boolean>
  sum(numbers: AsyncIterable<number>): Promise<number>
  boom(): Promise<never>
  call(run: unknown): Promise<unknown>
  config(): Promise<unknown>
}

const echo = `
let ended = false
class Echo {
  version = '1.2.3'
  #ctx
  constructor(ctx) { this.#ctx = ctx }
  add(a, b) { return a + b }
  bytes(given) { return given.map((byte) => byte + 1) }
  async *count(to, signal) { try { for (let i = 0; i < to && !signal?.aborted; i++) yield i } finally { ended = true } }
  ended() { return ended }
  async sum(numbers) { let total = 0; for await (const number of numbers) total += number; return total }
  boom() { throw Object.assign(new RangeError('too much'), { code: 'MUCH' }) }
  call(run) { return run() }
  config() { return this.#ctx.config }
}
export default {
  load(ctx) {
    const api = new Echo(ctx)
    ctx.provide({ name: 'echo', version: '1.0' }, api)
    return api
  },
  onConfig: (next) => next.language === 'refuse' ? 'restart' : 'applied',
  health: () => ({ status: 'degraded', message: 'a little tired' }),
  estimate: (config) => ({ vram: config.language === 'en' ? 0 : 1e15 }),
  usage: () => ({ vram: 7 }),
}
`

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})
async function start(modules: readonly ApartModule[]) {
  const made = await openApart(modules)
  open.push(made)
  return made
}

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).length
const descriptors = () => readdirSync('/proc/self/fd').length

// What processes, threads and their pipes keep open; a test runner has timers of its own.
const handles = () => process.getActiveResourcesInfo().filter((kind) => /Process|Pipe|Port|Worker/.test(kind)).length

describe.each(['process', 'worker'] as const)('a module in a %s', (runtime) => {
  const config = { type: 'object', properties: { language: { type: 'string', default: 'en' } } }
  const module = (id: string, code: string, manifest: Partial<ManifestInput> = {}): ApartModule => ({
    manifest: { id, runtime, ...manifest },
    files: { 'index.mjs': code },
  })
  const echoModule = module('echo', echo, { provides: ['echo'], config })

  test('answers calls with values, bytes, streams and errors', async () => {
    const { manager } = await start([echoModule])
    await manager.load('echo', { language: 'en' })
    const api = manager.getInterface<Echo>('echo')
    expect(await api.add(2, 3)).toBe(5)
    expect(api.version).toBe('1.2.3')
    expect(await api.bytes(new Uint8Array([1, 2, 255]))).toEqual(new Uint8Array([2, 3, 0]))
    expect(await api.config()).toEqual({ language: 'en' })
    const seen: number[] = []
    for await (const item of api.count(4)) seen.push(item)
    for await (const item of await api.count(2)) seen.push(item)
    expect(seen).toEqual([0, 1, 2, 3, 0, 1])
    async function* numbers() {
      yield* [1, 2, 3]
    }
    expect(await api.sum(numbers())).toBe(6)
    await expect(api.boom()).rejects.toMatchObject({ name: 'RangeError', message: 'too much', code: 'MUCH' })
    await expect(api.call(() => 1)).rejects.toMatchObject({ code: 'NOT_TRANSFERABLE' })
  })

  test('a stream that is left early, and one whose signal aborts, end in the module', async () => {
    const { manager } = await start([echoModule])
    await manager.load('echo')
    const api = manager.getInterface<Echo>('echo')
    for await (const item of api.count(1e9)) if (item === 3) break
    expect(await api.ended()).toBe(true)
    const controller = new AbortController()
    let items = 0
    for await (const _item of api.count(1e9, controller.signal)) if (++items === 3) controller.abort()
    expect(items).toBeGreaterThanOrEqual(3)
  })

  test('has health, config, estimate and usage as others', async () => {
    const { manager } = await start([echoModule])
    await manager.load('echo')
    expect(await manager.health('echo')).toEqual({ echo: { status: 'degraded', message: 'a little tired' } })
    await manager.configure('echo', { language: 'fr' })
    expect(await manager.getInterface<Echo>('echo').config()).toEqual({ language: 'fr' })
    await expect(manager.configure('echo', { language: 'refuse' })).rejects.toMatchObject({ code: 'CONFIG_NEEDS_RESTART' })
    const { reported } = manager.getModule('echo').usage!
    expect(reported!.ram).toBeGreaterThan(1e6)
    expect(reported!.vram).toBe(7)
  })

  test('serves others, and reaches only services that its manifest names', async () => {
    const user = `
      export default { load(ctx) {
        const echo = ctx.use({ name: 'echo', version: '1.0' })
        return {
          add: (a, b) => echo.add(a, b),
          async count(n) { let text = ''; for await (const i of echo.count(n)) text += i; return text },
          hack: (name) => echo[name]('x'),
        }
      } }`
    const { manager } = await start([
      echoModule,
      module('user', user, { requires: ['echo'] }),
      module('thief', `export default { load: (ctx) => ({ echo: ctx.use({ name: 'echo', version: '1.0' }) && 1 }) }`),
    ])
    await manager.load('user')
    const api = manager.getInterface<{ [name: string]: (...args: unknown[]) => Promise<unknown> }>('user')
    expect(await api.add!(1, 2)).toBe(3)
    expect(await api.count!(3)).toBe('012')
    for (const name of ['constructor', '__defineGetter__', 'call', 'nothing']) {
      await expect(api.hack!(name)).rejects.toThrow()
    }
    await expect(manager.load('thief')).rejects.toMatchObject({ code: 'SERVICE_UNDECLARED', module: 'thief' })
    expect(manager.getModule('thief').state).toBe('error')
  })

  test('sees an optional service come and go', async () => {
    const code = `
      const memory = { name: 'memory', version: '1.0' }
      export default { load: (ctx) => ({ ask: async () => (await ctx.maybe(memory)?.ask()) ?? 'nobody' }) }`
    const { manager } = await start([module('curious', code, { optional: ['memory@^1'] })])
    manager.register({
      manifest: { id: 'memory-store', version: '1.0.0', provides: ['memory'] },
      module: { load: (ctx) => ctx.provide(token('memory'), { ask: () => 'me' }) },
    })
    await manager.load('curious')
    const { ask } = manager.getInterface<{ ask(): Promise<string> }>('curious')
    expect(await ask()).toBe('nobody')
    await manager.load('memory-store')
    expect(await ask()).toBe('me')
    await manager.unload('memory-store')
    expect(await ask()).toBe('nobody')
  })

  test('hears and emits events; what the kernel says it cannot say', async () => {
    const code = `
      export default { load(ctx) {
        const heard = []
        ctx.events.on('ask.*', (payload, name) => { heard.push([name, payload.n]); ctx.events.emit('answer', { n: payload.n + 1 }) })
        ctx.events.emit('module.error', { id: 'logger' })
        return { heard: () => heard }
      } }`
    const { manager, logs } = await start([module('listener', code)])
    const forged: unknown[] = []
    manager.events.on('module.error', (payload) => forged.push(payload))
    await manager.load('listener')
    const answered = new Promise((resolve) => manager.events.on('answer', resolve))
    manager.events.emit('ask.me', { n: 1 })
    expect(await answered).toEqual({ n: 2 })
    expect(await manager.getInterface<{ heard(): Promise<unknown> }>('listener').heard()).toEqual([['ask.me', 1]])
    expect(forged).toEqual([])
    expect(logs.join()).toContain("The event 'module.error' is the kernel's own")
    const { size } = manager.events
    await manager.unload('listener')
    expect(manager.events.size).toBe(size - 1)
  })

  test('asks hooks and answers them', async () => {
    const tapping = `export default { load: (ctx) => void ctx.hooks.tap('name.prepare', (name) => name + '!') }`
    const asking = `export default { load: (ctx) => ({ prepare: (name) => ctx.hooks.waterfall('name.prepare', name) }) }`
    const { manager } = await start([module('tapping', tapping), module('asking', asking)])
    await manager.load('tapping')
    await manager.load('asking')
    expect(await manager.getInterface<{ prepare(name: string): Promise<string> }>('asking').prepare('Ada')).toBe('Ada!')
  })

  test('hands its state over when it is reloaded', async () => {
    const code = `
      let n = 0
      export default { load: () => ({ next: () => ++n }), snapshot: () => ({ n }), restore: (ctx, state) => { n = state.n } }`
    const { manager } = await start([module('keeper', code)])
    await manager.load('keeper')
    const keeper = manager.getInterface<{ next(): Promise<number> }>('keeper')
    expect(await keeper.next()).toBe(1)
    await manager.reload('keeper')
    expect(await keeper.next()).toBe(2)
  })

  test('its effects are undone in reverse, those of start by stop', async () => {
    const code = `
      export default {
        load(ctx) {
          for (const n of [1, 2]) ctx.onDispose(() => ctx.log.info('undone ' + n), 'effect ' + n)
          ctx.timers.setInterval(() => {}, 1000)
          ctx.effect('now', () => () => ctx.log.info('never'))
          const undo = ctx.onDispose(() => ctx.log.info('at once'))
          undo()
        },
        start(ctx) { ctx.onDispose(() => ctx.log.info('stopped')) },
        unload(ctx) { ctx.log.info('unload, aborted: ' + ctx.signal.aborted) },
      }`
    const { manager, logs } = await start([module('tidy', code)])
    await manager.load('tidy')
    expect(manager.getModule('tidy').effects.slice(1)).toEqual(['effect 1', 'effect 2', 'setInterval', 'now', 'onDispose'])
    await manager.stop('tidy')
    await manager.unload('tidy')
    expect(logs).toEqual([
      'info at once',
      'info stopped',
      'info unload, aborted: true',
      'info never',
      'info undone 2',
      'info undone 1',
    ])
  })

  test('what it prints is logged, line by line and never without end', async () => {
    const code = `
      export default { load() {
        console.log('one\\ntwo'); console.error('oh'); console.log('x'.repeat(100000)); for (let i = 0; i < 5000; i++) console.log('flood ' + i)
        return { quiet: () => 1 } } }`
    const { manager, logs } = await start([module('loud', code)])
    await manager.load('loud')
    await manager.unload('loud')
    expect(logs.slice(0, 2)).toEqual(['info one', 'info two'])
    expect(logs).toContain('warn oh')
    expect(logs.length).toBeLessThan(1000)
    expect(Math.max(...logs.map((line) => line.length))).toBeLessThan(5000)
  })

  test('sees none of our environment variables', async () => {
    process.env.ENIGMA_TEST_SECRET = 'secret'
    const { manager } = await start([module('spy', 'export default { load: () => ({ env: () => Object.keys(process.env) }) }')])
    await manager.load('spy')
    delete process.env.ENIGMA_TEST_SECRET
    const names = await manager.getInterface<{ env(): Promise<string[]> }>('spy').env()
    expect(names).toContain('PATH')
    expect(names).not.toContain('ENIGMA_TEST_SECRET')
  })

  test.skipIf(process.platform !== 'linux')('leaves nothing behind, neither loaded nor failed', async () => {
    const bad = module('bad', `export default { estimate: () => ({ ram: 1e15 }), load() {} }`)
    const { manager } = await start([echoModule, bad])
    const round = async () => {
      await manager.load('echo')
      await manager.getInterface<Echo>('echo').add(1, 2)
      await manager.unload('echo')
      await manager.tryLoad('bad')
      await manager.unload('bad')
    }
    const held = () => ({ handles: handles(), descriptors: descriptors(), listeners: manager.events.size })
    const before = held()
    for (let i = 0; i < 3; i++) await round()
    expect(manager.ledger).toEqual([])
    await expect.poll(children).toBe(0)
    await expect.poll(held).toEqual(before)
  })

  test('an estimate is asked before the load, with its config', async () => {
    const { manager } = await start([echoModule])
    await expect(manager.load('echo', { language: 'de' })).rejects.toMatchObject({ module: 'echo' })
    expect(manager.ledger).toEqual([])
  })

  test('its entry must lie in its folder, links followed', async () => {
    const { manager, folder } = await start([{ manifest: { id: 'out', runtime }, files: { 'elsewhere/x.mjs': '' } }])
    symlinkSync(import.meta.filename, `${folder}/out/index.mjs`)
    await expect(manager.load('out')).rejects.toMatchObject({ code: 'PATH_ESCAPE' })
  })
})
