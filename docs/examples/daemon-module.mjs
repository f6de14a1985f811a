// systemprompt-os guide, "Daemon Module Example".
import { ModuleManager } from 'enigma'

class MyDaemonModule {
  name = 'my-daemon'
  type = 'daemon'
  version = '1.0.0'
  description = 'My background daemon'
  beats = 0

  async initialize() {
    // Setup daemon
  }

  async start() {
    // Start background task
    this.timer = setInterval(() => this.beats++, 5)
    this.beats = 1
  }

  async stop() {
    // Stop background task
    clearInterval(this.timer)
    this.timer = undefined
  }

  isRunning() {
    return this.timer !== undefined
  }
}

const manager = await ModuleManager.open()
manager.register(new MyDaemonModule())
await manager.load('my-daemon')
const daemon = manager.getInterface('my-daemon')
const tell = () => console.log(`${manager.getModule('my-daemon').state}: ${daemon.isRunning() ? 'running' : 'not running'}`)

tell()
await manager.stop('my-daemon')
tell()
await manager.start('my-daemon')
tell()
await manager.shutdown() // stops it first
