import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

// What stays in memory when a module comes and goes. In a process of its own, without the compilers: their code is no leak.

const soak = process.env.ENIGMA_SOAK !== undefined
const cycles = soak ? 2000 : 200
const bound = soak ? 64 : 128

/** Bytes kept for each load and unload of a module whose `load` is this text. */
function keptByCycle(load: string): number {
  const kernel = fileURLToPath(new URL('../index.js', import.meta.url))
  const program = `
    const { ModuleManager, token } = await import(${JSON.stringify(kernel)})
    const manager = await ModuleManager.open()
    const Thing = token('thing', '1.0')
    const kept = []
    manager.register({
      manifest: { id: 'cycled', version: '1.0.0', provides: [{ capability: 'thing', version: '1.0' }] },
      module: { ${load} },
    })
    const run = async (count) => {
      for (let i = 0; i < count; i++) {
        await manager.load('cycled')
        if (manager.use(Thing).answer() !== 42) throw new Error('the module did not come up')
        await manager.unload('cycled')
      }
      for (let i = 0; i < 4; i++) { await new Promise(setImmediate); gc() }
      return process.memoryUsage().heapUsed
    }
    const before = await run(800) // the history of events is full then
    const after = await run(${cycles})
    console.log((after - before) / ${cycles})`
  const flags = ['--expose-gc', '--no-opt', '--no-sparkplug', '--input-type=module', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return Number(stdout)
}

const everything = `load(ctx) {
  for (const name of ['a', 'b', 'c', 'd', '*']) ctx.events.on(name, () => ctx)
  ctx.provide(Thing, { answer: () => 42, held: ctx })
  ctx.timers.setInterval(() => ctx, 60_000)
  ctx.signal.addEventListener('abort', () => ctx)
  ctx.onDispose(() => ctx)
  return { held: ctx }
}`

test(`a module with listeners, a service, timers and a signal leaves at most ${bound} bytes behind`, () => {
  expect(keptByCycle(everything)).toBeLessThanOrEqual(bound)
})

test('one listener that is left behind would be seen', () => {
  const leaking = everything.replace('return', "manager.events.on('left', () => ctx)\n return")
  expect(keptByCycle(leaking)).toBeGreaterThan(2 * bound)
})
