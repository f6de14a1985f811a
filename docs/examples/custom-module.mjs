// Enigma guide, "Simple Module". No base class is needed; INFO is what the guide's ModuleInfo is.
import { ModuleManager } from 'enigma'

class MyModule {
  static INFO = {
    id: 'my_module',
    name: 'My Custom Module',
    description: 'Does something awesome',
    category: 'EXTENSION',
    provides: ['my_feature'],
  }

  load() {
    console.log('Loading my module...')
    this.instance = { status: 'ready' }
    return true
  }

  unload() {
    console.log('Unloading my module...')
    this.instance = null
    return true
  }

  getInterface() {
    return this.instance
  }
}

// The guide's own spelling works as well.
class HeavyModule {
  static INFO = { id: 'heavy_module', requires: ['my_module'], min_ram_mb: 64, requires_gpu: false }

  load() {
    this.status = this.manager.get_interface('my_module').status
    return true
  }

  get_interface() {
    return { report: () => `my_module is ${this.status}` }
  }
}

// Register it
const manager = await ModuleManager.open()
manager.register(MyModule)
manager.register(HeavyModule)
await manager.load('my_module')
await manager.load('heavy_module')
console.log(manager.getInterface('heavy_module').report())
await manager.shutdown()
