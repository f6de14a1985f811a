// Enigma guide, "Module with Dependencies".
import { ModuleManager } from 'enigma'

class AdvancedModule {
  static INFO = {
    id: 'advanced',
    name: 'Advanced Module',
    description: 'Builds on core AI',
    category: 'extension',
    requires: ['model', 'inference'], // loaded first
    provides: ['advanced_feature'],
  }

  load() {
    // Get other modules: those of `requires`, and no others
    this.model = this.manager.getInterface('model')
    this.inference = this.manager.getInterface('inference')
    return Boolean(this.model && this.inference)
  }

  getInterface() {
    return {
      tellAbout: async (subject) => {
        const text = await this.inference.generate(`Once upon a time, ${subject}`, { maxTokens: 15, seed: 1 })
        return `${this.model.name} says: ${text}`
      },
    }
  }
}

const manager = await ModuleManager.open()
manager.register(AdvancedModule)
const { closure } = await manager.load('advanced')
console.log(`Loaded along: ${closure}`)
console.log(await manager.getInterface('advanced').tellAbout('a fox'))

// What is needed cannot be pulled away from under it.
console.log((await manager.unload('model').catch((error) => error)).message)
await manager.shutdown()
