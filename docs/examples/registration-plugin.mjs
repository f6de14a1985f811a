// SpiralTorch guide, Pattern 2: a plugin that registers neural network layers and shares its registry as a service.
// The registry here is a small one of this example; `LayerRegistry` and `PipelineBuilder` come with a later version.
import { defineModule, ModuleManager, token } from 'enigma'

const Layers = token('module-registry', '1.0')

class Registry {
  #factories = new Map()

  register({ module_type }, factory) {
    this.#factories.set(module_type, factory)
    return () => this.#factories.delete(module_type)
  }

  has(type) {
    return this.#factories.has(type)
  }

  build(...steps) {
    const layers = steps.map(([type, config = {}]) => this.#factories.get(type)(config))
    return (x) => layers.reduce((value, layer) => layer(value), x)
  }
}

const each = (run) => () => (x) => x.map(run)

const layerPlugin = defineModule({
  load(ctx) {
    const registry = new Registry()
    registry.register(
      { module_type: 'relu' },
      each((value) => Math.max(0, value)),
    )
    registry.register({ module_type: 'linear' }, ({ weight = 1, bias = 0 }) => each((value) => weight * value + bias)())
    ctx.provide(Layers, registry) // Share registry as service
    return registry
  },
})

const squarePlugin = defineModule({
  load(ctx) {
    const registry = ctx.use(Layers)
    const square = each((value) => value ** 2)
    ctx.effect('layer square', () => registry.register({ module_type: 'square' }, square)) // it goes when the plugin goes
  },
})

const manager = await ModuleManager.open()
const provides = [{ capability: 'module-registry', version: '1.0' }]
manager.register({ manifest: { id: 'layers', version: '1.0.0', provides }, module: layerPlugin })
manager.register({ manifest: { id: 'square', version: '1.0.0', requires: ['module-registry@^1'] }, module: squarePlugin })
await manager.load('square')

const registry = manager.use(Layers)
const model = registry.build(['linear', { weight: 2, bias: -4 }], ['relu'], ['square'])
console.log(`[1, 2, 3, 4] -> ${JSON.stringify(model([1, 2, 3, 4]))}`)
await manager.unload('square')
console.log(`Without the plugin: ${registry.has('square')}`)
await manager.shutdown()
