import { expect, test } from 'vitest'
import { openManager, tracked } from '../testing/build.js'
import { EventBus } from './events.js'

test("the kernel's events are seen under the seeds' names with the seeds' payload, and emitted once", () => {
  const bus = new EventBus()
  const log: unknown[] = []
  bus.on('SystemInit', (payload, name) => log.push([name, payload]))
  bus.on('SystemShutdown', (payload, name) => log.push([name, payload]))
  bus.on('PluginLoaded', ({ plugin_id }, name) => log.push([name, plugin_id]))
  bus.on('PluginUnloaded', ({ plugin_id }, name) => log.push([name, plugin_id]))
  bus.on('*', (_, name) => log.push(name))
  bus.emit('module.loaded', { id: 'm', ms: 1 })
  bus.emit('manager.ready', { modules: 1 })
  bus.emit('module.unloaded', { id: 'm' })
  bus.emit('manager.shutdown', { modules: 0 })
  const own = ['module.loaded', 'manager.ready', 'module.unloaded', 'manager.shutdown']
  const seen = [
    ['PluginLoaded', 'm'],
    ['SystemInit', {}],
    ['PluginUnloaded', 'm'],
    ['SystemShutdown', {}],
  ]
  expect(log).toEqual(own.flatMap((name, i) => [seen[i], name]))
  expect(bus.recent().map(({ name }) => name)).toEqual(own)
  expect(bus.recent('PluginLoaded').map(({ name, payload }) => ({ name, payload }))).toEqual([
    { name: 'PluginLoaded', payload: { plugin_id: 'm' } },
  ])
  expect(bus.listenerCount('PluginLoaded')).toBe(2)
})

test('the events that only the seeds have are emitted and subscribed to as any other', () => {
  const bus = new EventBus()
  const log: unknown[] = []
  bus.on('TensorOp', ({ op_name, input_shape, output_shape }) => log.push([op_name, ...input_shape, ...output_shape]))
  bus.on('EpochStart', ({ epoch }) => log.push(epoch))
  bus.on('EpochEnd', ({ epoch, loss }) => log.push([epoch, loss]))
  bus.on('BackendChanged', ({ backend }) => log.push(backend))
  bus.on('Telemetry', ({ data }) => log.push(data))
  bus.emit('TensorOp', { op_name: 'relu', input_shape: [2], output_shape: [2] })
  bus.emit('EpochStart', { epoch: 1 })
  bus.emit('EpochEnd', { epoch: 1, loss: 0.5 })
  bus.emit('BackendChanged', { backend: 'cpu' })
  bus.emit('Telemetry', { data: { speed: 3 } })
  expect(log).toEqual([['relu', 2, 2], 1, [1, 0.5], 'cpu', { speed: 3 }])
})

test('Custom sees every event that is not built in', () => {
  const bus = new EventBus()
  const log: unknown[] = []
  bus.on('Custom', (event, name) => log.push([name, event]))
  bus.emit('my.event', 42)
  bus.emit('EpochStart', { epoch: 1 })
  bus.emit('module.unloaded', { id: 'm' })
  expect(log).toEqual([['Custom', { event_type: 'my.event', data: 42 }]])
  expect(bus.recent('Custom').map(({ payload }) => payload)).toEqual([{ event_type: 'my.event', data: 42 }])
})

test('a Custom event reaches the subscribers of its type, of Custom and of *, each once', async () => {
  const bus = new EventBus()
  const log: unknown[] = []
  bus.on('MyEvent', (data) => log.push(['MyEvent', data]))
  bus.on('Custom', ({ data }) => log.push(['Custom', data]))
  bus.on('*', (data, name) => log.push(['*', name, data]))
  const expected = [
    ['MyEvent', 1],
    ['Custom', 1],
    ['*', 'MyEvent', 1],
  ]
  expect(bus.emit('Custom', { event_type: 'MyEvent', data: 1 })).toBe(3)
  expect(log.splice(0)).toEqual(expected)
  expect((await bus.emitAsync('Custom', { event_type: 'MyEvent', data: 1 })).delivered).toBe(3)
  expect(log).toEqual(expected)
  expect(bus.emit('Custom', { event_type: '*', data: 1 })).toBe(2)
  expect(bus.recent().map(({ name }) => name)).toEqual(['MyEvent', 'MyEvent', '*'])
})

test('emitting a name that is a view of another event is refused, with the name to emit', async () => {
  const bus = new EventBus()
  const errors: string[] = []
  bus.on('bus.error', ({ message }) => errors.push(message))
  expect(bus.emit('PluginLoaded', { plugin_id: 'm' })).toBe(0)
  for (const bad of [undefined, null, 7, {}, { event_type: 7 }, { event_type: 'Custom' }]) bus.emit('Custom', bad as never)
  expect((await bus.emitAsync('PluginLoaded', { plugin_id: 'm' })).failed).toHaveLength(1)
  const custom = "'Custom' cannot be emitted like this. Emit it with { event_type, data }."
  const loaded = "'PluginLoaded' cannot be emitted like this. Emit 'module.loaded', which it is another name of."
  expect(errors).toEqual([loaded, ...Array(6).fill(custom), loaded])
})

test("a manager's life under the seeds' names", async () => {
  const manager = await openManager()
  const log: unknown[] = []
  manager.events.on('SystemInit', () => log.push('SystemInit'))
  manager.events.on('PluginLoaded', ({ plugin_id }) => log.push(`loaded ${plugin_id}`))
  manager.events.on('PluginUnloaded', ({ plugin_id }) => log.push(`unloaded ${plugin_id}`))
  manager.events.on('SystemShutdown', () => log.push('SystemShutdown'))
  tracked(manager, [], 'a')
  tracked(manager, [], 'b', { requires: ['a'] })
  tracked(manager, [], 'c')
  await manager.load('b')
  await manager.load('c')
  await manager.unload('c')
  await manager.shutdown()
  expect(log.slice(0, 5)).toEqual(['loaded a', 'loaded b', 'SystemInit', 'loaded c', 'unloaded c'])
  expect(log.slice(5).sort()).toEqual(['SystemShutdown', 'unloaded a', 'unloaded b'])
})
