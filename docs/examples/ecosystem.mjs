// SpiralTorch guide, "Complete Example": modules that register layers, build a network from configuration, train it, watch it and
// act on its epochs. None of them imports another: they meet through services and events.
import { stat } from 'node:fs/promises'
import {
  builtinLayers,
  DataLoader,
  Layer,
  loadPipeline,
  losses,
  optim,
  Pipeline,
  savePipeline,
  tensorDataset,
  fit as train,
} from '@enigma/nn'
import { tensor } from '@enigma/tensor'
import { defineModule, ModuleManager, token } from 'enigma'

// What the modules know of each other: names of services.
const Layers = token('layer-registry', '1.0')
const Backend = token('backend', '1.0')
const Trainer = token('trainer', '1.0')

// A backend: where programs run. It says so when it takes over.
const backend = defineModule({
  load: (ctx) => ctx.provide(Backend, { device: () => 'cpu', threads: () => ctx.config.threads }),
  start: (ctx) => ctx.events.emit('BackendChanged', { backend: 'cpu' }),
})

// The layers there are, for everybody to look up and to add to. Each one that is added is an event.
const layers = defineModule({
  load(ctx) {
    const onChange = ({ kind, metadata }) => ctx.events.emit(`layer.${kind}`, { type: metadata.type })
    ctx.provide(Layers, builtinLayers({ onChange }))
  },
})

// A module with a layer of its own, which goes when the module goes.
class Sine extends Layer {
  constructor(frequency) {
    super()
    this.frequency = frequency
  }
  forward(x) {
    return x.mul(this.frequency).sin()
  }
}
const sineLayer = defineModule({
  load(ctx) {
    const metadata = {
      type: 'sine',
      displayName: 'Sine',
      description: 'sin(frequency · x), for functions that wave (Sitzmann et al. 2020)',
      category: 'Activation',
      parameters: {
        frequency: { type: 'number', description: 'radians for each unit', default: 1, exclusiveMinimum: 0 },
      },
    }
    ctx.effect('layer sine', () => ctx.use(Layers).register(metadata, ({ frequency }) => new Sine(frequency)))
  },
})

// The training: a network from the configuration, its epochs as events.
const trainer = defineModule({
  load(ctx) {
    const { network, epochs, learning_rate } = ctx.config
    const registry = ctx.use(Layers)
    const device = ctx.use(Backend)
    const net = Pipeline.fromYaml(network, registry)
    let stopped = false
    const run = async (data) => {
      const callback = {
        onEpochStart: ({ epoch }) => ctx.events.emitAsync('EpochStart', { epoch: epoch + 1 }),
        async onEpochEnd({ epoch, loss, stop }) {
          await ctx.events.emitAsync('EpochEnd', { epoch: epoch + 1, loss }) // who listens has finished then
          if (stopped) stop()
        },
      }
      const optimizer = optim.adamw({ lr: learning_rate, weightDecay: 0 })
      const options = { train: data, loss: losses.mse, optimizer, epochs, callbacks: [callback] }
      return train(net, { ...options, device: device.device(), threads: device.threads() })
    }
    const stop = () => {
      stopped = true
    }
    ctx.provide(Trainer, { net: () => net, train: run, stop })
  },
})

// A module that acts on the end of an epoch: it keeps the best network on the disk, and ends the training when that is good.
const keeper = defineModule({
  load(ctx) {
    const best = { loss: Number.POSITIVE_INFINITY, epoch: 0, saved: 0 }
    ctx.events.on('EpochEnd', async ({ epoch, loss }) => {
      if (loss < ctx.config.good_enough) ctx.use(Trainer).stop()
      if (loss >= 0.8 * best.loss && loss >= ctx.config.good_enough) return
      await savePipeline(ctx.use(Trainer).net(), 'best.safetensors')
      Object.assign(best, { loss, epoch, saved: best.saved + 1 })
    })
    return best
  },
})

// A module that only watches.
const monitor = defineModule({
  load(ctx) {
    const counts = {}
    ctx.events.on('*', (_event, name) => {
      counts[name] = (counts[name] ?? 0) + 1
    })
    return counts
  },
})

// Registration: a manifest says what a module gives, needs, and what can be set.
const network = `
name: wave
input: [1]
seed: 7
layers:
  - linear: { out_features: 32 }
  - sine: { frequency: 3 }
  - residual: [{ linear: { out_features: 32 } }, tanh]
  - linear: { out_features: 1 }
`
const config = (properties) => ({ config: { type: 'object', properties } })
const manager = await ModuleManager.open()
const modules = {
  monitor: [monitor, {}],
  'backend-cpu': [backend, { provides: ['backend'], ...config({ threads: { type: 'integer', minimum: 1, default: 1 } }) }],
  layers: [layers, { provides: ['layer-registry'] }],
  'sine-layer': [sineLayer, { requires: ['layer-registry'] }],
  'wave-trainer': [
    trainer,
    {
      provides: ['trainer'],
      requires: ['layer-registry', 'backend', 'sine-layer'],
      ...config({
        network: { type: 'string', default: network },
        epochs: { type: 'integer', minimum: 1, default: 500 },
        learning_rate: { type: 'number', exclusiveMinimum: 0, default: 0.01 },
      }),
    },
  ],
  keeper: [keeper, { requires: ['trainer'], ...config({ good_enough: { type: 'number', default: 0.001 } }) }],
}
for (const [id, [module, manifest]] of Object.entries(modules))
  manager.register({ manifest: { id, version: '1.0.0', ...manifest }, module })

// Discovery: what is there, without running any of it.
console.log(`Trainers: ${manager.listModules({ capability: 'trainer' }).map(({ id }) => id)}`)

// Lifecycle: one load brings what it needs, in the right order.
await manager.load('monitor')
const { closure } = await manager.load('keeper', { good_enough: 0.0005 })
console.log(`Loaded: ${closure}`)

const registry = manager.use(Layers)
console.log(
  `Activations: ${registry
    .findByCategory('Activation')
    .map(({ type }) => type)
    .join(', ')}`,
)
const training = manager.use(Trainer)
console.log(training.net().describe())

// y = sin(6x) · x at 64 places
const places = Array.from({ length: 64 }, (_, i) => i / 32 - 1)
const data = tensorDataset({
  x: tensor(places, [64, 1]),
  y: tensor(
    places.map((x) => Math.sin(6 * x) * x),
    [64, 1],
  ),
})
const { epochs, ended } = await training.train(new DataLoader(data, { batchSize: 16, shuffle: true }))
const best = manager.getInterface('keeper')
console.log(
  `Training ${ended} after ${epochs.length} epochs, loss ${epochs[0].loss.toFixed(3)} -> ${epochs.at(-1).loss.toFixed(4)}`,
)
console.log(`Kept epoch ${best.epoch} of ${best.saved} that were saved, ${(await stat('best.safetensors')).size} bytes`)

// What was kept is a network by itself: configuration and weights in one file.
const kept = await loadPipeline('best.safetensors', registry)
const answer = await kept.predict(tensor([0.5], [1, 1]))
console.log(`At 0.5: ${answer.data[0].toFixed(2)}, wanted ${(Math.sin(3) * 0.5).toFixed(2)}`)
await kept.release()

// A layer that comes and goes with its module.
await manager.unload('sine-layer', { cascade: true })
console.log(
  `Without its module: ${registry.has('sine') ? 'sine is there' : 'no sine'}, relu ${registry.has('relu') ? 'is there' : 'is gone'}`,
)
const seen = manager.getInterface('monitor')
console.log(
  `Seen: ${seen.EpochEnd} EpochEnd, ${seen.BackendChanged} BackendChanged, ${seen['layer.registered']} layer.registered`,
)
await manager.shutdown()
