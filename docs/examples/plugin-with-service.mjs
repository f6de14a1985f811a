// SpiralTorch guide, Pattern 1: a plugin that provides a service to other plugins.
import { defineModule, ModuleManager, token } from 'enigma'

const MyService = token('my-service', '1.0')

const myServicePlugin = {
  manifest: { id: 'my-service-plugin', version: '1.0.0', provides: [{ capability: 'my-service', version: '1.0' }] },
  module: defineModule({
    load(ctx) {
      const seen = []
      // Register service
      ctx.provide(MyService, { seen: () => [...seen] })
      // Subscribe to events
      ctx.events.on('SomeEvent', (event) => seen.push(event.text))
      // Both end with the plugin: there is no on_unload to write.
    },
  }),
}

const readerPlugin = {
  manifest: { id: 'reader', version: '1.0.0', requires: ['my-service@^1'] },
  module: defineModule({
    load(ctx) {
      const service = ctx.use(MyService)
      return { read: () => service.seen().join(', ') }
    },
  }),
}

const manager = await ModuleManager.open()
manager.register(myServicePlugin)
manager.register(readerPlugin)
await manager.load('reader')

manager.events.emit('SomeEvent', { text: 'first' })
manager.events.emit('SomeEvent', { text: 'second' })
console.log(manager.getInterface('reader').read())
console.log(manager.effects('my-service-plugin').join(', '))

await manager.unload('my-service-plugin', { cascade: true })
console.log(`Still listening: ${manager.events.listenerCount('SomeEvent')}`)
await manager.shutdown()
