// systemprompt-os guide, "Module Registry": the manager is the registry. The one of the kernel has no built-in modules in it.
import { ModuleManager } from '@enigma/kernel'

class LoggerModule {
  name = 'my-logger'
  type = 'service'
  version = '1.0.0'
  provides = 'log-lines'
  lines = []

  getService() {
    return { log: (line) => this.lines.push(line), lines: () => this.lines.length }
  }
}

class HeartbeatModule {
  name = 'my-heartbeat'
  type = 'daemon'
  version = '1.0.0'
  requires = ['my-logger']

  start() {
    this.manager.getInterface('my-logger').log('a beat')
  }
}

const registry = await ModuleManager.open()

// Register modules
registry.register(new LoggerModule())
registry.register(new HeartbeatModule())

// Initialize all modules, requirements first
const { loaded } = await registry.startAll()
console.log(`Initialized: ${loaded}`)

// Get a specific module
const logger = registry.getInterface('my-logger')
console.log(`Lines: ${logger.lines()}`)

// Get all modules of a type
const daemons = registry.listModules({ kind: 'daemon' })
console.log(`Daemons: ${daemons.map(({ id, state }) => `${id} ${state}`).join(', ')}`)

// Shutdown all modules
registry.events.on('module.unloaded', ({ id }) => console.log(`Shut down: ${id}`))
await registry.shutdown()
