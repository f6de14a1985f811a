import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openManager } from '../testing/build.js'

// Whatever fails in a load of a random graph: providers come first, nothing of a failed load stays, the earlier set is
// untouched, and shutdown leaves no listener, no reservation and no module behind.

const runs = process.env.ENIGMA_SOAK ? 1000 : 50

const size = 10
const module = fc.record({
  requires: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
  async: fc.boolean(),
  fails: fc.constantFrom('', '', '', '', '', '', 'load', 'start'),
})

test('a load is all or nothing, in order both ways', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(module, { minLength: size, maxLength: size }),
      fc.array(fc.integer({ min: 0, max: size - 1 })),
      async (all, loads) => {
        const manager = await openManager()
        const up = new Set<string>()
        const violations: string[] = []
        const requiresOf = (i: number) => all[i]!.requires.filter((step) => i - step >= 0).map((step) => `m${i - step}`)
        all.forEach(({ async, fails }, i) => {
          const id = `m${i}`
          const requires = requiresOf(i)
          const step = async (name: string) => {
            if (async) await new Promise((resolve) => setImmediate(resolve))
            if (fails === name) throw new Error(`${id} fails`)
          }
          manager.register({
            manifest: { id, version: '1.0.0', requires, resources: { ram: '1MB' } },
            module: {
              load: async (ctx) => {
                for (const other of requires) if (!up.has(other)) violations.push(`${id} is loaded before ${other}`)
                ctx.events.on('x', () => undefined)
                await step('load')
                ctx.onDispose(() => up.delete(id))
                up.add(id)
              },
              start: () => step('start'),
              unload: () => {
                all.forEach((_, j) => {
                  if (requiresOf(j).includes(id) && up.has(`m${j}`)) violations.push(`m${j} is still up after ${id}`)
                })
              },
            },
          })
        })
        for (const i of loads) {
          const before = new Set(up)
          const { ok } = await manager.tryLoad(`m${i}`)
          if (!ok) expect(up).toEqual(before)
          expect([...up].sort()).toEqual(manager.listLoaded().sort())
          expect(manager.listModules().filter(({ state }) => state === 'active')).toHaveLength(up.size)
          expect(manager.ledger).toHaveLength(up.size)
          expect(manager.events.size).toBe(up.size)
        }
        await manager.shutdown()
        expect([up.size, manager.events.size, manager.ledger.length]).toEqual([0, 0, 0])
        expect(violations).toEqual([])
      },
    ),
    { numRuns: runs },
  )
})
