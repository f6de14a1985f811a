/** Loading and unloading one module with five listeners, a service and a timer: ours, and cordis 4. */
import { importPeer } from '../../harness/import-peer.mjs'

const events = ['one', 'two', 'three', 'four', 'five']

async function enigma() {
  const { ModuleManager, token } = await import('@enigma/kernel')
  const Thing = token('thing', '1.0')
  const manager = await ModuleManager.open()
  manager.register({
    manifest: { id: 'cycled', version: '1.0.0', provides: [{ capability: 'thing', version: '1.0' }] },
    module: {
      load(ctx) {
        for (const name of events) ctx.events.on(name, () => name)
        ctx.provide(Thing, { answer: () => 42 })
        ctx.timers.setInterval(() => undefined, 60_000)
        return { answer: () => 42 }
      },
    },
  })
  const listeners = () => events.reduce((sum, name) => sum + manager.events.listenerCount(name), 0)
  return {
    async cycle() {
      await manager.load('cycled')
      if (manager.use(Thing).answer() !== 42 || listeners() !== 5) throw new Error('the module did not come up')
      await manager.unload('cycled')
      if (listeners() !== 0) throw new Error('listeners are left')
    },
  }
}

async function cordis() {
  const { Context } = await importPeer('cordis')
  const root = new Context()
  const plugin = {
    name: 'cycled',
    apply(ctx) {
      for (const name of events) ctx.on(name, () => name)
      ctx.provide('thing', { answer: () => 42 })
      ctx.effect(() => {
        const timer = setInterval(() => undefined, 60_000)
        return () => clearInterval(timer)
      })
    },
  }
  return {
    async cycle() {
      const fiber = await root.plugin(plugin)
      if (root.get('thing')?.answer() !== 42) throw new Error('the plugin did not come up')
      await fiber.dispose()
      if (root.get('thing') !== undefined) throw new Error('the service is left')
    },
  }
}

export const subjects = { enigma, cordis }
