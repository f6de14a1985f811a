// systemprompt-os guide, "Service Module Example".
import { ModuleManager, token } from 'enigma'

class MyServiceModule {
  name = 'my-service'
  type = 'service'
  version = '1.0.0'
  description = 'My custom service'
  provides = 'counting'

  async initialize() {
    this.count = 0
  }

  async shutdown() {
    console.log(`counted to ${this.count}`)
  }

  getService() {
    return { doSomething: () => ++this.count }
  }
}

const manager = await ModuleManager.open()
manager.register(new MyServiceModule())

// Others need the service, not the module: they name what it provides.
manager.register({
  manifest: { id: 'user', version: '1.0.0', requires: ['counting'] },
  module: {
    start(ctx) {
      const service = ctx.use(token('counting', '1.0'))
      service.doSomething()
      console.log(service.doSomething())
    },
  },
})
await manager.load('user') // its service is initialized first
await manager.shutdown()
