// Enigma guide, "Generation Module": it claims a capability and hands the work to an implementation that lies elsewhere.
import { ModuleManager, token } from 'enigma'
import { paint } from './modules/image-gen-local/painter.js'
import { png } from './modules/image-gen-local/png.js'

class Painter {
  generate(prompt, { width = 64, height = 64 } = {}) {
    return png(paint(prompt, { width, height, steps: 5 }), width, height)
  }
}

class MyImageGenModule {
  static INFO = {
    id: 'my_image_gen',
    name: 'My Image Generator',
    description: 'Custom image generation',
    category: 'GENERATION',
    provides: ['image_generation'], // Claims capability
  }

  load() {
    this.provider = new Painter()
    return true
  }

  generate(prompt, options) {
    return this.provider.generate(prompt, options)
  }
}

const manager = await ModuleManager.open()
manager.register(MyImageGenModule)
await manager.load('my_image_gen')

// Without getInterface() the module itself is the interface; by its capability it is found without knowing its name.
const byName = manager.getInterface('my_image_gen').generate('a quiet night')
const byCapability = manager.use(token('image-generation', '1.0')).generate('a quiet night', { width: 32 })
console.log(`PNG of ${byName.readUInt32BE(16)} pixels, PNG of ${byCapability.readUInt32BE(16)} pixels`)
await manager.shutdown()
