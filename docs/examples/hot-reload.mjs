// Enigma guide, "Module Hot-Reloading"; SpiralTorch guide, "Hot Reloading".
import { mkdir, writeFile } from 'node:fs/promises'
import { ModuleManager } from 'enigma'

const codeSaying = (word) => `export default {
  load(ctx) {
    let count = 0
    return { greet: (name) => '${word}, ' + name + ctx.config.mark + ' ' + ++count, count: () => count, goOn: (from) => { count = from } }
  },
  snapshot: (ctx, greeter) => greeter.count(),
  restore: (ctx, count, greeter) => greeter.goOn(count),
}`
const manifest = `id: greeter
version: 1.0.0
entry: ./index.js
config: { type: object, properties: { mark: { type: string, default: . } } }`

await mkdir('greeter')
await writeFile('greeter/module.yaml', manifest)
await writeFile('greeter/index.js', codeSaying('Hello'))
const manager = await ModuleManager.open({ modules: ['greeter'] })
await manager.load('greeter', { mark: '!' })

/** As in the guide. Its dependents have to go first, and what it has counted is lost. */
async function reloadModule(id) {
  const { config } = manager.getModule(id)
  await manager.unload(id)
  await manager.load(id, config)
}
await reloadModule('greeter')
const greeter = manager.getInterface('greeter')
console.log(greeter.greet('Ada'))

// In one step: new code, the same config. Dependents stay, state is handed over, handles lead to the new code.
await writeFile('greeter/index.js', codeSaying('Good day'))
await manager.reload('greeter')
console.log(greeter.greet('Ada'))

// By itself, whenever a file changes. The old code serves on when the new one fails.
await manager.watch('greeter')
const reloaded = new Promise((resolve) => manager.events.on('module.reloaded', resolve))
const failed = new Promise((resolve) => manager.events.on('module.reload-failed', resolve))
await writeFile('greeter/index.js', 'export default {')
console.log((await failed).message, greeter.greet('Ada'))
await writeFile('greeter/index.js', codeSaying('Welcome'))
await reloaded
console.log(greeter.greet('Ada'))
await manager.shutdown()
