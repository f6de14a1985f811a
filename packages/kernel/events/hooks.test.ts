import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { openManager } from '../testing/build.js'
import { Hooks } from './hooks.js'

declare module './hook-map.js' {
  interface ModuleHooks {
    'test.prepare': Hook<'waterfall', string>
    'test.choose': Hook<'bail', { wanted: string }, number>
    'test.save': Hook<'series', number>
    'test.measure': Hook<'parallel', undefined, number>
  }
}

/** What a call rejects with. */
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.fail('it did not reject'),
    (error: unknown) => error,
  )

test('bail: the first answer that is not undefined wins, and nobody after it is asked', async () => {
  const hooks = new Hooks()
  const asked: string[] = []
  hooks.tap('test.choose', () => void asked.push('first'))
  hooks.tap('test.choose', async ({ wanted }) => {
    asked.push('second')
    return wanted === 'one' ? 1 : undefined
  })
  hooks.tap('test.choose', () => {
    asked.push('third')
    return 0
  })
  expect(await hooks.bail('test.choose', { wanted: 'one' })).toBe(1)
  expect(asked.splice(0)).toEqual(['first', 'second'])
  expect(await hooks.bail('test.choose', { wanted: 'two' })).toBe(0)
  expect(await hooks.bail('nobody.taps.this', 1)).toBeUndefined()
})

test('waterfall: each tap gets what the one before made of the value; undefined leaves it as it is', async () => {
  const hooks = new Hooks()
  hooks.tap('test.prepare', (text) => `${text}a`)
  hooks.tap('test.prepare', () => undefined)
  hooks.tap('test.prepare', async (text) => `${text}b`)
  expect(await hooks.waterfall('test.prepare', '>')).toBe('>ab')
  expect(await hooks.waterfall('nobody.taps.this', '>')).toBe('>')
})

test('series: one after the other; parallel: all at once; both give the answers in order', async () => {
  const hooks = new Hooks()
  const log: string[] = []
  for (const name of ['a', 'b']) {
    const run = async () => {
      log.push(`${name} begins`)
      await null
      log.push(`${name} ends`)
      return name
    }
    hooks.tap('s', run)
    hooks.tap('p', run)
  }
  expect(await hooks.series('s', 1)).toEqual(['a', 'b'])
  expect(log.splice(0)).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  expect(await hooks.parallel('p', 1)).toEqual(['a', 'b'])
  expect(log).toEqual(['a begins', 'b begins', 'a ends', 'b ends'])
})

test('taps run by priority, then in the order they came, whatever the order of tapping and removing', async () => {
  const step = fc.record({ priority: fc.integer({ min: -2, max: 2 }), removed: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const hooks = new Hooks()
      const offs = steps.map(({ priority }, i) => hooks.tap('h', () => i, { priority }))
      steps.forEach(({ removed }, i) => void (removed && offs[i]!()))
      const kept = steps.flatMap((s, i) => (s.removed ? [] : [{ ...s, i }])).sort((a, b) => b.priority - a.priority || a.i - b.i)
      expect(await hooks.series('h', 0)).toEqual(kept.map(({ i }) => i))
      expect(hooks.count('h')).toBe(kept.length)
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 2000 : 100 },
  )
})

test.each(['bail', 'waterfall', 'series'] as const)(
  '%s: a failing tap fails the call with its module, and those after it do not run',
  async (kind) => {
    const hooks = new Hooks()
    const cause = new Error('boom')
    let after = 0
    hooks.tap('h', () => Promise.reject(cause), { module: 'm' })
    hooks.tap('h', () => after++)
    const error = await errorOf(hooks[kind]('h', 1))
    expect(error).toMatchObject({ code: 'HOOK_FAILED', module: 'm', cause, message: "Module 'm' failed in the hook 'h': boom" })
    expect(after).toBe(0)
  },
)

test('parallel: the others finish, and all failures are told', async () => {
  const hooks = new Hooks()
  const done: string[] = []
  const fail = () => {
    throw new Error('boom')
  }
  const offs = ['m', 'n'].map((module) => hooks.tap('h', fail, { module }))
  hooks.tap('h', async () => {
    await null
    done.push('other')
  })
  const both = await errorOf(hooks.parallel('h', 1))
  expect(both).toMatchObject({ code: 'HOOK_FAILED', modules: ['m', 'n'], cause: { errors: [{ module: 'm' }, { module: 'n' }] } })
  offs[0]!()
  expect(await errorOf(hooks.parallel('h', 1))).toMatchObject({ module: 'n', cause: { message: 'boom' } })
  expect(done).toEqual(['other', 'other'])
})

test('a tap removed during a call is not called any more; one added is not called yet', async () => {
  const hooks = new Hooks()
  const log: string[] = []
  hooks.tap('h', () => {
    off()
    hooks.tap('h', () => void log.push('added'))
  })
  const off = hooks.tap('h', () => void log.push('removed'))
  await hooks.series('h', 1)
  expect(log).toEqual([])
  expect(await hooks.parallel('h', 1)).toHaveLength(2)
  expect(log).toEqual(['added'])
})

test('a call that waits for a tap ends when the tap is removed', async () => {
  const hooks = new Hooks()
  const off = hooks.tap('h', () => new Promise(() => undefined), { module: 'm' })
  const calls = (['bail', 'waterfall', 'series', 'parallel'] as const).map((kind) => errorOf(hooks[kind]('h', 1)))
  off()
  off()
  for (const error of await Promise.all(calls)) {
    expect(error).toMatchObject({
      module: 'm',
      message: "Module 'm' failed in the hook 'h': it was removed before it had answered",
    })
  }
})

test('taps that throw or answer anything at all never hang or crash a call', async () => {
  const hooks = new Hooks()
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  for (const thrown of [undefined, null, 1n, Symbol('s'), cycle]) {
    const off = hooks.tap('h', () => {
      throw thrown
    })
    expect(await errorOf(hooks.bail('h', 1))).toMatchObject({ code: 'HOOK_FAILED' })
    off()
  }
  hooks.tap('h', () => Object.defineProperty({}, 'then', { value: () => JSON.parse('{') }))
  expect(await errorOf(hooks.bail('h', 1))).toMatchObject({ code: 'HOOK_FAILED' })
  for (const [name, run] of [
    ['', () => 0],
    [7, () => 0],
    ['h', 7],
  ]) {
    expect(() => hooks.tap(name as string, run as () => void)).toThrow('Pass the name of a hook and a function')
  }
})

test('the type of a hook says how it may be called and what is answered', () => {
  const hooks = new Hooks()
  expectTypeOf(hooks.bail('test.choose', { wanted: 'x' })).resolves.toEqualTypeOf<number | undefined>()
  expectTypeOf(hooks.waterfall('test.prepare', 'x')).resolves.toEqualTypeOf<string>()
  expectTypeOf(hooks.parallel('test.measure', undefined)).resolves.toEqualTypeOf<number[]>()
  expectTypeOf(hooks.bail('undeclared', 1)).resolves.toEqualTypeOf<unknown>()
  // @ts-expect-error it is declared as a waterfall
  void hooks.bail('test.prepare', 'x')
  // @ts-expect-error its value is a number
  void hooks.series('test.save', 'x')
  // @ts-expect-error its taps answer numbers
  hooks.tap('test.choose', () => 'x')
})

test("a module's taps end with it", async () => {
  await using manager = await openManager()
  manager.register({
    manifest: { id: 'm', version: '1.0.0' },
    module: {
      load(ctx) {
        ctx.hooks.tap('test.prepare', (text) => `${text}!`)
        return { shout: (text: string) => ctx.hooks.waterfall('test.prepare', text) }
      },
    },
  })
  await manager.load('m')
  expect(await manager.hooks.waterfall('test.prepare', 'hey')).toBe('hey!')
  expect(await (manager.getInterface('m') as { shout(text: string): Promise<string> }).shout('ho')).toBe('ho!')
  await manager.unload('m')
  expect(await manager.hooks.waterfall('test.prepare', 'hey')).toBe('hey')
})
