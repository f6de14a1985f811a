// SpiralTorch guide, "Training Plugins": a plugin that saves checkpoints and lowers the learning rate at the end of epochs.
import { readFile, writeFile } from 'node:fs/promises'
import { defineModule, ModuleManager } from 'enigma'

const trainingPlugin = {
  manifest: { id: 'training-plugin', version: '1.0.0' },
  module: defineModule({
    load(ctx) {
      const rule = { rate: 1.2, best: Number.POSITIVE_INFINITY }
      ctx.events.on('EpochEnd', async ({ epoch, loss }) => {
        if (loss < rule.best) {
          rule.best = loss
          await writeFile('checkpoint.json', JSON.stringify({ epoch, loss, slope: model.slope }))
        } else {
          rule.rate /= 2
          console.log(`Epoch ${epoch}: loss ${loss.toFixed(3)} is no better, learning rate ${rule.rate}`)
        }
      })
      return rule
    },
  }),
}

const manager = await ModuleManager.open()
manager.register(trainingPlugin)
await manager.load('training-plugin')
const rule = manager.getInterface('training-plugin')

// A training loop of your own: the slope of y = 3x by gradient descent. It says what happens, and knows nothing of the plugin.
const model = { slope: 0 }
const points = [-1, -0.5, 0.5, 1, 1.5].map((x) => ({ x, y: 3 * x }))
const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length
for (let epoch = 1; epoch <= 12; epoch++) {
  manager.events.emit('EpochStart', { epoch })
  model.slope -= rule.rate * mean(({ x, y }) => 2 * (model.slope * x - y) * x)
  const loss = mean(({ x, y }) => (model.slope * x - y) ** 2)
  await manager.events.emitAsync('EpochEnd', { epoch, loss }) // when it returns, the checkpoint is written
}

const { epoch, slope } = JSON.parse(await readFile('checkpoint.json', 'utf8'))
console.log(`Checkpoint of epoch ${epoch}: y = ${slope.toFixed(2)}x`)
await manager.shutdown()
