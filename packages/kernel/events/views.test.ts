import { expect, test } from 'vitest'
import type { ModuleContext } from '../lifecycle/context.js'
import { openManager } from '../testing/build.js'

async function loaded(load: (ctx: ModuleContext) => void) {
  const manager = await openManager()
  manager.register({ manifest: { id: 'm', version: '1.0.0' }, module: { load } })
  await manager.load('m')
  return manager
}

test('what still waits in the queue of a module that goes is not run', async () => {
  const seen: unknown[] = []
  let open: () => void = () => undefined
  const manager = await loaded((ctx) => {
    ctx.events.on('n', (payload) => new Promise<void>((resolve) => (open = resolve) && seen.push(payload)), { queue: {} })
  })
  manager.events.emit('n', 1)
  manager.events.emit('n', 2)
  await null
  expect(manager.events.queues).toMatchObject([{ pattern: 'n', module: 'm', length: 1 }])
  await manager.unload('m')
  open()
  await new Promise((resolve) => setImmediate(resolve))
  expect(seen).toEqual([1])
  expect(manager.events.size).toBe(0)
})

test('once gives a module one event, and leaves no effect behind', async () => {
  let calls = 0
  const manager = await loaded((ctx) => void ctx.events.once('n', () => calls++))
  expect(manager.effects('m').join()).toContain('on n')
  manager.events.emit('n', 1)
  manager.events.emit('n', 2)
  expect(calls).toBe(1)
  expect(manager.effects('m').join()).not.toContain('on n')
  await manager.shutdown()
})

test("a failure is reported with the module's id", async () => {
  const manager = await loaded((ctx) => {
    ctx.events.on('n', () => Promise.reject(new Error('boom')))
  })
  const report = await manager.events.emitAsync('n', 1)
  expect(report).toMatchObject({ matched: 1, delivered: 0, failed: [{ module: 'm', error: { message: 'boom' } }] })
  await manager.shutdown()
})
