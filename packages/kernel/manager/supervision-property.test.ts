import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModuleError } from '../errors.js'
import type { ModuleContext } from '../lifecycle/context.js'
import { openManager } from '../testing/build.js'

// Crashes, restarts and people at the same time, in any order.

const ids = ['base', 'daemon', 'loner'] as const
type Id = (typeof ids)[number]

const step = fc.record({
  what: fc.constantFrom(
    'load',
    'unload',
    'crash',
    'crash',
    'end',
    'disable',
    'enable',
    'reset',
    'stop',
    'start',
    'reload',
    'pause',
  ),
  id: fc.constantFrom(...ids),
})

test('never two lives of a module at a time, none of a disabled one, and none after the shutdown', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, slow) => {
      const m = await openManager({ supervision: { base: 1, cap: 2, maxCrashes: 6 }, health: { interval: 1 } })
      const alive = new Map<string, number>()
      const contexts = new Map<Id, ModuleContext<unknown>>()
      let most = 0
      for (const id of ids) {
        m.register({
          manifest: {
            id,
            version: '1.0.0',
            requires: id === 'daemon' ? ['base'] : [],
            resources: { ram: '10MB' },
            lifecycle: { restart: id === 'loner' ? 'always' : 'on-failure' },
          },
          module: {
            async load(ctx) {
              alive.set(id, (alive.get(id) ?? 0) + 1)
              most = Math.max(most, alive.get(id)!)
              ctx.onDispose(() => void alive.set(id, alive.get(id)! - 1))
              if (slow) await new Promise((resolve) => setImmediate(resolve))
              contexts.set(id, ctx)
              return {}
            },
            health: () => ({ status: 'healthy' }),
            usage: () => ({ ram: 5 * 2 ** 20 }),
          },
        })
      }
      const work: Promise<unknown>[] = []
      const act = {
        load: (id: Id) => m.load(id),
        unload: (id: Id) => m.unload(id, { cascade: true }),
        crash: (id: Id) => contexts.get(id)?.fail(new Error('boom')),
        end: (id: Id) => contexts.get(id)?.fail(),
        disable: (id: Id) => m.disable(id, { cascade: true }),
        enable: (id: Id) => m.enable(id),
        reset: (id: Id) => m.reset(id),
        stop: (id: Id) => m.stop(id, { cascade: true }),
        start: (id: Id) => m.start(id),
        reload: (id: Id) => m.reload(id),
        pause: () => new Promise((resolve) => setTimeout(resolve, 2)),
      } as const
      for (const { what, id } of steps) {
        const done = Promise.resolve(act[what](id))
        work.push(done.catch((error: unknown) => expect(error).toBeInstanceOf(ModuleError)))
        if (what === 'pause') await Promise.all(work)
      }
      await Promise.all(work)
      expect(most).toBeLessThanOrEqual(1)
      for (const { id, state } of m.listModules()) {
        if (state === 'disabled') expect(alive.get(id) ?? 0).toBe(0)
      }
      await m.shutdown()
      const told = m.events.recent('module.loading').length
      await new Promise((resolve) => setTimeout(resolve, 4))
      expect(m.events.recent('module.loading')).toHaveLength(told)
      expect([...alive.values()].every((count) => count === 0)).toBe(true)
      expect([m.listLoaded(), m.ledger]).toEqual([[], []])
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 2000 : 60 },
  )
})
