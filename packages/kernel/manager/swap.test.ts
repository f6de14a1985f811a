import { afterEach, describe, expect, test } from 'vitest'
import { ServiceGone } from '../errors.js'
import type { ModuleContext } from '../lifecycle/context.js'
import { token } from '../lifecycle/services.js'
import type { ManifestInput } from '../manifest/manifest.js'
import { gigabyte, openManager } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

// One provider in the place of another, under load, and what happens when the new one fails.

interface Images {
  draw(prompt: string): Promise<string>
  stream(n: number): AsyncIterable<number>
  name(): string
}
const Images = token<Images>('images', '1.0')

let open: ModuleManager | undefined
const manager = async () =>
  (open = await openManager({ times: { grace: 20 }, hardware: { ramTotal: 12 * gigabyte, ramFree: 12 * gigabyte } }))
afterEach(async () => {
  await open?.shutdown()
  open = undefined
})

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A provider that notices calls after its end. */
function provider(m: ModuleManager, id: string, rest: Partial<ManifestInput> & { fail?: 'load' | 'start' } = {}) {
  const { fail, ...manifest } = rest
  const seen = { dead: 0, calls: 0, log: [] as string[] }
  m.register({
    manifest: { id, version: '1.0.0', provides: ['images'], ...manifest },
    module: {
      load(ctx: ModuleContext) {
        seen.log.push('load')
        if (fail === 'load') throw new Error('no load today')
        let alive = true
        const check = () => {
          seen.calls++
          if (!alive) seen.dead++
        }
        const api: Images = {
          async draw(prompt) {
            check()
            await turn()
            check()
            return `${id}:${prompt}`
          },
          async *stream(n) {
            for (let i = 0; i < n; i++) {
              check()
              await turn()
              yield i
            }
          },
          name() {
            check()
            return id
          },
        }
        ctx.provide(Images, api)
        ctx.onDispose(() => {
          alive = false
        })
        return api
      },
      start() {
        seen.log.push('start')
        if (fail === 'start') throw new Error('no start today')
      },
      stop: () => void seen.log.push('stop'),
      unload: () => void seen.log.push('unload'),
    },
  })
  return seen
}

function user(m: ModuleManager, requires = ['images@^1']) {
  m.register({
    manifest: { id: 'user', version: '1.0.0', requires },
    module: { load: (ctx) => ({ images: ctx.use(Images) }) },
  })
}

const held = (m: ModuleManager) => m.getInterface<{ images: Images }>('user').images

describe('swap', () => {
  test('dependents stay and their handles lead to the new provider', async () => {
    const m = await manager()
    const local = provider(m, 'local')
    provider(m, 'api')
    user(m)
    await m.loadAll(['local', 'user'])
    const images = held(m)
    const { name } = images
    const own = m.getInterface<Images>('local')
    expect(await images.draw('a')).toBe('local:a')
    const report = await m.swap('local', 'api')
    expect(report).toMatchObject({ from: 'local', to: 'api', order: 'make-first', loaded: ['api'], drained: true })
    expect(await images.draw('a')).toBe('api:a')
    expect(name()).toBe('api')
    expect(own.name()).toBe('api')
    expect(m.use(Images).name()).toBe('api')
    expect(m.listModules().map(({ id, state }) => [id, state])).toEqual([
      ['api', 'active'],
      ['local', 'unloaded'],
      ['user', 'active'],
    ])
    expect(local.log).toEqual(['load', 'start', 'stop', 'unload'])
    expect(m.why('api').dependents).toEqual(['user'])
    await expect(m.unload('api')).rejects.toThrow("Cannot unload 'api': required by 'user'")
  })

  test.each(['make-first', 'break-first'] as const)(
    '1,000 calls in flight over 20 swaps (%s): none fails, none reaches a dead provider',
    async (order) => {
      const m = await manager()
      const sides = [provider(m, 'local'), provider(m, 'api')]
      user(m)
      await m.loadAll(['local', 'user'])
      const images = held(m)
      let running = true
      const answers: Promise<unknown>[] = []
      const call = async () => {
        while (running) await images.draw('x')
      }
      const listen = async () => {
        while (running) {
          let sum = 0
          for await (const i of images.stream(3)) sum += i
          expect(sum).toBe(3)
        }
      }
      for (let i = 0; i < 1000; i++) answers.push(i % 10 === 0 ? listen() : call())
      for (let i = 0; i < 20; i++) {
        await turn()
        const [from, to] = i % 2 === 0 ? ['local', 'api'] : ['api', 'local']
        expect((await m.swap(from!, to!, undefined, { order })).drained).toBe(true)
      }
      running = false
      await Promise.all(answers)
      expect(sides.map(({ dead }) => dead)).toEqual([0, 0])
      expect(Math.min(...sides.map(({ calls }) => calls))).toBeGreaterThan(1000)
    },
  )

  test.each([
    ['make-first', 'load'],
    ['make-first', 'start'],
    ['break-first', 'load'],
    ['break-first', 'start'],
  ] as const)('%s: a new side that fails at %s leaves the old one serving', async (order, fail) => {
    const m = await manager()
    provider(m, 'local')
    provider(m, 'api', { fail })
    user(m)
    await m.loadAll(['local', 'user'])
    const images = held(m)
    const waiting = images.draw('meanwhile')
    await expect(m.swap('local', 'api', undefined, { order })).rejects.toThrow(`no ${fail} today`)
    expect(await waiting).toBe('local:meanwhile')
    expect(await images.draw('after')).toBe('local:after')
    expect(m.getModule('local').state).toBe('active')
    expect(m.getModule('api').state).toBe('error')
    expect(m.getModule('user').state).toBe('active')
    expect(m.why('local').dependents).toEqual(['user'])
  })

  test('where the machine cannot hold both, the old one goes first; calls wait meanwhile', async () => {
    const m = await manager()
    provider(m, 'local', { resources: { ram: '6GB' } })
    provider(m, 'api', { resources: { ram: '7GB' } })
    user(m)
    await m.loadAll(['local', 'user'])
    const images = held(m)
    expect(images.name()).toBe('local')
    await images.draw('warm')
    const log: string[] = []
    m.events.on('module.unloaded', ({ id }) => {
      log.push(id)
      void images.draw('during').then((answer) => log.push(answer))
      expect(() => images.name()).toThrow(ServiceGone)
    })
    expect((await m.swap('local', 'api')).order).toBe('break-first')
    await turn()
    await turn()
    expect(log).toEqual(['local', 'api:during'])
    expect(m.ledger).toEqual([{ module: 'api', ram: 7 * gigabyte, vram: 0, used: true }])
  })

  test('a provider that gives no implementation is refused, and the old one stays', async () => {
    const m = await manager()
    provider(m, 'local')
    m.register({ manifest: { id: 'mute', version: '1.0.0', provides: ['images'] }, module: {} })
    user(m)
    await m.loadAll(['local', 'user'])
    for (const order of ['make-first', 'break-first'] as const) {
      await expect(m.swap('local', 'mute', undefined, { order })).rejects.toMatchObject({ code: 'SWAP_REFUSED' })
      expect(held(m).name()).toBe('local')
    }
    expect(m.getModule('mute').state).toBe('unloaded')
  })

  test('a dependent that asks for the old module by its id is named', async () => {
    const m = await manager()
    provider(m, 'local')
    provider(m, 'api')
    user(m, ['local'])
    await m.loadAll(['local', 'user'])
    await expect(m.swap('local', 'api')).rejects.toThrow(/'user' needs 'local'/)
    expect((await m.canSwap('local', 'api')).ok).toBe(false)
  })

  test('calls on the old side that do not end are left behind after the drain limit, and said so', async () => {
    const m = await manager()
    m.register({
      manifest: { id: 'slow', version: '1.0.0', provides: ['images'] },
      module: { load: (ctx) => ctx.provide(Images, { draw: () => new Promise(() => undefined) } as unknown as Images) },
    })
    provider(m, 'api')
    await m.load('slow')
    void m.use(Images).draw('for ever')
    expect((await m.swap('slow', 'api', undefined, { drainMs: 5 })).drained).toBe(false)
    expect(m.getModule('slow').state).toBe('unloaded')
  })
})

describe('a module that fails while it is up', () => {
  test('goes to error with all it registered; dependents stay, and their handles work again when it is back', async () => {
    const m = await manager()
    let ctx: { fail(error: unknown): void } | undefined
    let life = 0
    m.register({
      manifest: { id: 'local', version: '1.0.0', provides: ['images'] },
      module: {
        load(context) {
          ctx = context
          const mine = ++life
          context.events.on('tick', () => undefined)
          context.provide(Images, { name: () => `life ${mine}` } as Images)
        },
      },
    })
    user(m)
    await m.loadAll(['local', 'user'])
    const images = held(m)
    expect(images.name()).toBe('life 1')
    const listeners = m.events.size
    ctx!.fail(new Error('the disk is gone'))
    expect(() => images.name()).toThrow(/it failed.*the disk is gone/)
    expect(m.getModule('local').state).toBe('error')
    expect(m.getModule('local').error).toMatchObject({ code: 'CRASHED' })
    expect(m.getModule('user').state).toBe('active')
    expect(m.events.size).toBe(listeners - 1)
    await m.load('local')
    expect(images.name()).toBe('life 2')
    expect(m.events.recent('module.crashed')).toHaveLength(1)
  })

  test('another provider takes over when it is loaded instead', async () => {
    const m = await manager()
    let ctx: { fail(error: unknown): void } | undefined
    m.register({
      manifest: { id: 'local', version: '1.0.0', provides: ['images'] },
      module: {
        load(context) {
          ctx = context
          context.provide(Images, { name: () => 'local' } as Images)
        },
      },
    })
    provider(m, 'api')
    user(m)
    await m.loadAll(['local', 'user'])
    const images = held(m)
    expect(images.name()).toBe('local')
    ctx!.fail(new Error('gone'))
    await m.load('api')
    expect(images.name()).toBe('api')
    expect(m.why('api').dependents).toEqual(['user'])
    await expect(m.unload('api')).rejects.toThrow("required by 'user'")
  })

  test('errors of timers and background work fail the module, not the process', async () => {
    const m = await manager()
    m.register({
      manifest: { id: 'a', version: '1.0.0' },
      module: { start: (ctx) => void ctx.timers.setTimeout(() => Promise.reject(new Error('tick')), 1) },
    })
    m.register({
      manifest: { id: 'b', version: '1.0.0' },
      module: { start: (ctx) => ctx.run('loop', async () => Promise.reject(new Error('loop'))) },
    })
    await m.loadAll(['a', 'b'])
    while (m.listLoaded().length > 0) await turn()
    expect(['a', 'b'].map((id) => m.getModule(id).error?.message)).toEqual([
      "Module 'a' failed while it was running: tick",
      "Module 'b' failed while it was running: loop",
    ])
  })

  test('background work is told to stop, and waited for', async () => {
    const m = await manager()
    const log: string[] = []
    m.register({
      manifest: { id: 'a', version: '1.0.0' },
      module: {
        start: (ctx) =>
          ctx.run('loop', async (signal) => {
            while (!signal.aborted) await turn()
            log.push('ended')
          }),
        unload: () => void log.push('unload'),
      },
    })
    await m.load('a')
    expect(m.effects('a')).toEqual(['loop'])
    await m.unload('a')
    expect(log).toEqual(['ended', 'unload'])
  })
})

describe('reload', () => {
  test('hands state over, keeps dependents, and leads handles to the new code', async () => {
    const m = await manager()
    let version = 0
    m.register({
      manifest: { id: 'counter', version: '1.0.0', provides: ['images'] },
      module: {
        load(ctx) {
          let count = 0
          const mine = ++version
          const api = { name: () => `v${mine}:${++count}`, get: () => count, set: (n: number) => void (count = n) }
          ctx.provide(Images, api as unknown as Images)
          return api
        },
        snapshot: (_, api: { get(): number }) => api.get(),
        restore: (_, state, api: { set(n: number): void }) => api.set(state as number),
      },
    })
    user(m)
    await m.load('user')
    const images = held(m)
    images.name()
    images.name()
    const report = await m.reload('counter')
    expect(report).toMatchObject({ id: 'counter', up: true, handedOver: true })
    expect(images.name()).toBe('v2:3')
    expect(m.getModule('user').state).toBe('active')
  })
})
