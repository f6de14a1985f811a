import { afterEach, expect, test } from 'vitest'
import type { ModuleContext } from '../lifecycle/context.js'
import { token } from '../lifecycle/services.js'
import type { ManifestInput } from '../manifest/manifest.js'
import { openManager } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

// What a handle does while its provider passes on to another, and when that one fails in turn.

interface Pieces {
  readonly size: number
  say(): Promise<string>
  slow(): Promise<void>
  pieces(): AsyncIterable<number>
  call(): PromiseLike<unknown> & AsyncIterable<number>
}
const Pieces = token<Pieces>('pieces', '1.0')

const open: ModuleManager[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.shutdown()
})

/** Lets go of what waits at it. */
function gate() {
  let go = () => {}
  const passed = new Promise<void>((resolve) => {
    go = resolve
  })
  return { passed, go }
}

async function manager() {
  const m = await openManager({ supervision: { base: 1 } })
  open.push(m)
  return m
}

function provider(m: ModuleManager, id: string, given: Partial<Pieces> = {}, rest: Partial<ManifestInput> = {}) {
  const last: { ctx?: ModuleContext } = {}
  m.register({
    manifest: { id, version: '1.0.0', provides: ['pieces'], ...rest },
    module: {
      load(ctx: ModuleContext) {
        last.ctx = ctx
        ctx.provide(Pieces, { size: 1, say: async () => id, ...given } as Pieces)
      },
    },
  })
  return last
}

const restarted = (m: ModuleManager) => new Promise((resolve) => m.events.on('module.restarted', resolve))

test('a handle follows the new provider through its own failure and return', async () => {
  const m = await manager()
  provider(m, 'old')
  const next = provider(m, 'next', {}, { lifecycle: { restart: 'on-failure' } })
  await m.load('old')
  const pieces = m.use(Pieces)
  await m.swap('old', 'next')
  const back = restarted(m)
  next.ctx!.fail(new Error('gone'))
  expect(() => pieces.say()).toThrow('it failed')
  await back
  expect(await pieces.say()).toBe('next')
})

test('a handle follows reloaded code through its failure and return', async () => {
  const m = await manager()
  const last = provider(m, 'one', {}, { lifecycle: { restart: 'on-failure' } })
  await m.load('one')
  const pieces = m.use(Pieces)
  await m.reload('one')
  const back = restarted(m)
  last.ctx!.fail(new Error('gone'))
  await back
  expect(await pieces.say()).toBe('one')
})

test.each([
  [
    'a promise of a stream',
    (stream: AsyncIterable<number>) =>
      Object.assign(Promise.resolve(stream), { [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator]() }),
  ],
  [
    'one of its own kind, like that of another process',
    (stream: AsyncIterable<number>) => {
      class Call extends Promise<unknown> {
        async *[Symbol.asyncIterator]() {
          yield* (await this) as AsyncIterable<number>
        }
      }
      return new Call((resolve) => resolve(stream))
    },
  ],
  [
    'no promise, but with a then',
    (stream: AsyncIterable<number>) => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      then: () => expect.unreachable('nobody waits for it'),
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    }),
  ],
])('an answer that can be awaited and iterated counts until its stream has ended: %s', async (_, made) => {
  const m = await manager()
  const middle = gate()
  const begun = gate()
  async function* two() {
    yield 1
    begun.go()
    await middle.passed
    yield 2
  }
  provider(m, 'old', { call: () => made(two()) as ReturnType<Pieces['call']> })
  provider(m, 'next')
  await m.load('old')
  const got: number[] = []
  const read = (async () => {
    for await (const piece of m.use(Pieces).call()) got.push(piece)
  })()
  await begun.passed
  let swapped = false
  const swap = m.swap('old', 'next').then((report) => {
    swapped = true
    return report
  })
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  expect(swapped).toBe(false)
  middle.go()
  await read
  expect(got).toEqual([1, 2])
  expect(await swap).toMatchObject({ drained: true })
})

test('an answer with a then is asked once, by whoever waits for it', async () => {
  const m = await manager()
  let asked = 0
  const query = {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    then: (resolve: (value: string) => unknown) => resolve(`row ${++asked}`),
  }
  provider(m, 'old', { call: () => query as unknown as ReturnType<Pieces['call']> })
  await m.load('old')
  const call = m.use(Pieces).call()
  expect(asked).toBe(0)
  expect(await call).toBe('row 1')
})

test('a rejection that the consumer handles is no unhandled one, and one of a stream comes out of the stream', async () => {
  const m = await manager()
  provider(m, 'old', {
    call: () =>
      Object.assign(Promise.reject(new Error('no rows')), { [Symbol.asyncIterator]: () => expect.unreachable() }) as never,
  })
  await m.load('old')
  await expect(Promise.resolve(m.use(Pieces).call())).rejects.toThrow('no rows')
  await expect(async () => {
    for await (const _ of m.use(Pieces).call()) expect.unreachable()
  }).rejects.toThrow('no rows')
})

test('a stream asked for while the provider passes on goes through modules in between', async () => {
  const m = await manager()
  const end = gate()
  const given: Partial<Pieces> = {
    slow: () => end.passed,
    async *pieces() {
      yield 1
      yield 2
    },
  }
  provider(m, 'old', given)
  provider(m, 'next', given)
  const Front = token<{ pieces(): AsyncIterable<number> }>('front', '1.0')
  m.register({
    manifest: { id: 'front', version: '1.0.0', requires: ['pieces'] },
    module: {
      load(ctx) {
        const pieces = ctx.use(Pieces)
        ctx.provide(Front, { pieces: () => pieces.pieces() })
      },
    },
  })
  await m.loadAll(['old', 'front'])
  void m.use(Pieces).slow()
  const swap = m.swap('old', 'next', undefined, { order: 'break-first' })
  await new Promise((resolve) => setImmediate(resolve))
  const got: number[] = []
  const read = (async () => {
    for await (const piece of m.use(Front).pieces()) got.push(piece)
  })()
  end.go()
  await read
  await swap
  expect(got).toEqual([1, 2])
})

test('while the provider passes on, it can be asked for, and values that cannot wait say so', async () => {
  const m = await manager()
  const loading = gate()
  const begun = gate()
  provider(m, 'old')
  m.register({
    manifest: { id: 'next', version: '1.0.0', provides: ['pieces'] },
    module: {
      async load(ctx) {
        begun.go()
        await loading.passed
        ctx.provide(Pieces, { size: 2, say: async () => 'next' } as Pieces)
      },
    },
  })
  await m.load('old')
  const swap = m.swap('old', 'next', undefined, { order: 'break-first' })
  await begun.passed
  const pieces = m.use(Pieces)
  expect(() => pieces.size).toThrow("'size' cannot wait")
  const said = pieces.say()
  loading.go()
  await swap
  expect(await said).toBe('next')
  expect(pieces.size).toBe(2)
})

test('while its code is reloaded, the interface of a module can be asked for', async () => {
  const m = await manager()
  let loads = 0
  const loading = gate()
  const begun = gate()
  m.register({
    manifest: { id: 'one', version: '1.0.0' },
    module: {
      async load() {
        const mine = ++loads
        if (mine === 2) {
          begun.go()
          await loading.passed
        }
        return { say: async () => mine }
      },
    },
  })
  await m.load('one')
  const reload = m.reload('one')
  await begun.passed
  const said = m.getInterface<{ say(): Promise<number> }>('one').say()
  loading.go()
  await reload
  expect(await said).toBe(2)
})

test('a swap that is cancelled while calls are under way stops nothing', async () => {
  const m = await manager()
  const end = gate()
  const log: string[] = []
  provider(m, 'old', { slow: () => end.passed })
  provider(m, 'next')
  await m.load('old')
  m.events.on('module.state', ({ id, phase }) => void (phase && log.push(`${id} ${phase}`)))
  const pieces = m.use(Pieces)
  void pieces.slow()
  const cancel = new AbortController()
  const swap = m.swap('old', 'next', undefined, { order: 'break-first', signal: cancel.signal })
  await new Promise((resolve) => setImmediate(resolve))
  cancel.abort()
  await expect(swap).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(log).toEqual([])
  expect(await pieces.say()).toBe('old')
  end.go()
})

test('a load of a module that is being undone after a failure waits for that, and loads it', async () => {
  const m = await manager()
  const undone = gate()
  const last = provider(m, 'one')
  await m.load('one')
  last.ctx!.onDispose(() => undone.passed)
  last.ctx!.fail(new Error('gone'))
  const load = m.load('one')
  undone.go()
  expect(await load).toMatchObject({ loaded: ['one'] })
  expect(m.getModule('one').state).toBe('active')
})

test('when both sides of a swap fail, handles work again once the old one is loaded after all', async () => {
  const m = await manager()
  let broken = false
  m.register({
    manifest: { id: 'old', version: '1.0.0', provides: ['pieces'] },
    module: {
      load(ctx) {
        if (broken) throw new Error('not now')
        ctx.provide(Pieces, { say: async () => 'old' } as Pieces)
      },
    },
  })
  m.register({
    manifest: { id: 'next', version: '1.0.0', provides: ['pieces'] },
    module: {
      load() {
        throw new Error('never')
      },
    },
  })
  m.register({
    manifest: { id: 'user', version: '1.0.0', requires: ['pieces'] },
    module: { load: (ctx) => ({ pieces: ctx.use(Pieces) }) },
  })
  await m.loadAll(['old', 'user'])
  const { pieces } = m.getInterface<{ pieces: Pieces }>('user')
  broken = true
  await expect(m.swap('old', 'next', undefined, { order: 'break-first' })).rejects.toThrow('could not be brought back')
  expect(() => pieces.say()).toThrow('is gone')
  broken = false
  await m.load('old')
  expect(await pieces.say()).toBe('old')
})
