// SpiralTorch guide, "Configuration Management": values are declared with their types, checked, and may change while it runs.
import { defineModule, ModuleManager } from 'enigma'

const trainer = {
  manifest: {
    id: 'trainer',
    version: '1.0.0',
    config: {
      type: 'object',
      properties: {
        learning_rate: { type: 'number', exclusiveMinimum: 0, default: 0.001 },
        batch_size: { type: 'integer', minimum: 1, default: 32 },
        token: { type: 'string', secret: true },
      },
    },
  },
  module: defineModule({
    load: (ctx) => console.log(`Using learning rate: ${ctx.config.learning_rate}, batch size: ${ctx.config.batch_size}`),
    onConfig(next, previous) {
      if (next.batch_size !== previous.batch_size) return 'restart'
      console.log(`Now using learning rate: ${next.learning_rate}`)
      return 'applied'
    },
  }),
}

const manager = await ModuleManager.open()
manager.register(trainer)
await manager.load('trainer', { batch_size: 16, token: 'not for others' })

await manager.configure('trainer', { learning_rate: 0.0005 })
console.log((await manager.configure('trainer', { batch_size: 8 }).catch((error) => error)).message)
console.log((await manager.configure('trainer', { learning_rat: 1 }).catch((error) => error)).message)
console.log(JSON.stringify(manager.getModule('trainer').config)) // secrets are hidden
await manager.shutdown()
