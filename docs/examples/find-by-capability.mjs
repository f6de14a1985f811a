// SpiralTorch guide, "Finding Plugins by Capability" and "Backend Plugins".
import { ModuleManager, token } from 'enigma'

const manager = await ModuleManager.open()
const Backend = token('backend', '1.0')

// `shared`: any number of providers may be loaded; without it, one at a time.
const plugin = (id, capability, priority) => ({
  manifest: { id, version: '1.0.0', provides: [{ capability, version: '1.0', cardinality: 'shared', priority }] },
  module: { load: () => ({ name: id }) },
})
manager.register(plugin('adamw', 'optimizers', 60))
manager.register(plugin('sgd', 'optimizers', 50))
manager.register({
  manifest: {
    id: 'wgpu',
    version: '1.0.0',
    provides: ['backend', 'backend-wgpu'],
    activation: ['onCapability:backend'],
  },
  module: {
    async load(ctx) {
      const device = { name: 'an example device' }
      ctx.provide(Backend, { device, name: 'WGPU' })
    },
  },
})

// Find all optimizer plugins
const optimizers = manager.listModules({ capability: 'optimizers' })
console.log(`Optimizers: ${optimizers.map(({ id }) => id)}`)

// Find one backend
console.log(`WGPU: ${manager.listModules({ capability: 'backend-wgpu' }).map(({ id }) => id)}`)
console.log(`CUDA: ${manager.listModules({ capability: 'backend-cuda' }).length} found`)

// A module that requires a capability gets the provider that fits best: no search is needed.
manager.register({ manifest: { id: 'trainer', version: '1.0.0', requires: ['optimizers@^1'] }, module: {} })
console.log(`trainer takes: ${(await manager.load('trainer')).closure}`)

// The one that is there, or else one that says it may be loaded for that:
console.log(`Backend: ${(await manager.acquire(Backend)).name}`)
await manager.shutdown()
