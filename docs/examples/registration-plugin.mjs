// SpiralTorch guide, Pattern 2: a plugin that registers neural network layers and shares its registry as a service.
import { builtinLayers, Layer, PipelineBuilder } from '@enigma/nn'
import { tensor } from '@enigma/tensor'
import { defineModule, ModuleManager, token } from 'enigma'

const Layers = token('module-registry', '1.0')

class Square extends Layer {
  forward(x) {
    return x.mul(x)
  }
}

const layerPlugin = defineModule({
  load(ctx) {
    const registry = builtinLayers()
    ctx.provide(Layers, registry) // Share registry as service
    return registry
  },
})

const squarePlugin = defineModule({
  load(ctx) {
    const registry = ctx.use(Layers)
    const metadata = { type: 'square', displayName: 'Square', description: 'x²', category: 'Activation', parameters: {} }
    ctx.effect('layer square', () => registry.register(metadata, () => new Square())) // it goes when the plugin goes
  },
})

const manager = await ModuleManager.open()
const provides = [{ capability: 'module-registry', version: '1.0' }]
manager.register({ manifest: { id: 'layers', version: '1.0.0', provides }, module: layerPlugin })
manager.register({ manifest: { id: 'square', version: '1.0.0', requires: ['module-registry@^1'] }, module: squarePlugin })
await manager.load('square')

const registry = manager.use(Layers)
const model = new PipelineBuilder(registry)
  .addLayer('relu')
  .addLayer('square')
  .build({ input: [4] })
const { data } = await model.predict(tensor([-2, 0, 2, 4], [1, 4]))
console.log(`[-2, 0, 2, 4] -> ${JSON.stringify([...data])}`)
await model.release()
await manager.unload('square')
console.log(`Without the plugin: ${registry.has('square')}`)
await manager.shutdown()
