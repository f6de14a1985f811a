// SpiralTorch guide, "Event System": built-in events, custom ones, one or all of them.
import { defineModule, ModuleManager } from 'enigma'

const plugin = defineModule({
  load(ctx) {
    // Subscribe to specific event
    ctx.events.on('EpochStart', ({ epoch }) => console.log(`Epoch ${epoch} started`))
    ctx.events.on('PluginLoaded', ({ plugin_id }) => console.log(`Loaded ${plugin_id}`))
    ctx.events.on('MyEvent', ({ value }) => console.log(`My event: ${value}`))
    ctx.events.on('Custom', ({ event_type }) => console.log(`Custom event: ${event_type}`))

    // Slow handlers get a queue, and are told when they fall behind
    ctx.events.on('Telemetry', async ({ data }) => console.log(`loss ${data.loss}`), {
      queue: { size: 10, overflow: 'drop-oldest' },
    })

    // A handler that fails harms nobody; it is told as an event of its own
    ctx.events.on('MyEvent', () => {
      throw new Error('not my day')
    })
    ctx.events.on('bus.error', ({ module, event, message }) => console.log(`${module} failed at ${event}: ${message}`))
  },
})

const manager = await ModuleManager.open()
manager.register({ manifest: { id: 'listener', version: '1.0.0' }, module: plugin })
manager.register({ manifest: { id: 'other', version: '1.0.0' }, module: {} })
await manager.load('listener')
await manager.load('other')

// Publish built-in event
manager.events.emit('EpochStart', { epoch: 1 })

// Publish custom event: any name, any value
manager.events.emit('MyEvent', { value: 42 })

// Wait for all who listen, and hear how it went
const { delivered } = await manager.events.emitAsync('Telemetry', { data: { loss: 0.5 } })
console.log(`Heard by ${delivered}`)
console.log(
  `The last two: ${manager.events
    .recent()
    .slice(-2)
    .map(({ name }) => name)}`,
)
await manager.shutdown()
