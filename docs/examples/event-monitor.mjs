// SpiralTorch guide, Pattern 3: a plugin that watches over everything that happens.
import { defineModule, ModuleManager } from 'enigma'

class Metrics {
  #counts = new Map()

  record(name) {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  report() {
    return [...this.#counts].sort().map(([name, count]) => `${name}: ${count}`)
  }
}

const monitorPlugin = defineModule({
  load(ctx) {
    const metrics = new Metrics()
    // The second argument of a handler is the event's name. 'module.*' would take those of the module system only.
    ctx.events.on('*', (_event, name) => metrics.record(name))
    return metrics
  },
})

const manager = await ModuleManager.open()
manager.register({ manifest: { id: 'monitor', version: '1.0.0', category: 'tools' }, module: monitorPlugin })
manager.register({ manifest: { id: 'worker', version: '1.0.0' }, module: {} })
await manager.load('monitor')

await manager.load('worker')
manager.events.emit('Telemetry', { data: { loss: 0.5 } })
manager.events.emit('Telemetry', { data: { loss: 0.4 } })
await manager.unload('worker')
for (const line of manager.getInterface('monitor').report()) console.log(line)
await manager.shutdown()
