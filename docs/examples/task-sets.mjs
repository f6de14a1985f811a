// Enigma guide, "Conditional Loading Based on Task".
import { join } from 'node:path'
import { ModuleManager } from 'enigma'

const TASK_MODULES = {
  chat: ['model', 'tokenizer', 'inference', 'memory'],
  image: ['model', 'tokenizer', 'inference', 'image_gen_local'],
  code: ['model', 'tokenizer', 'inference', 'code_gen_local'],
}

const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')] })

/** Loads what can be loaded, as in the guide. */
async function setupForTask(task) {
  for (const id of TASK_MODULES[task] ?? []) {
    const { ok, reason } = await manager.canLoad(id)
    if (ok) await manager.load(id)
    else console.log(`Without ${id}: ${reason}`)
  }
}

await setupForTask('code')
console.log(`code: ${manager.listLoaded()}`)

// All or nothing, in one transaction; what is there already stays as it is.
const { loaded } = await manager.loadAll(TASK_MODULES.image)
console.log(`image: ${loaded} came along`)

// A set can be named: saved once, taken from then on. What is not in it goes.
await manager.saveConfig('image.json')
await manager.load('memory')
console.log((await manager.loadConfig('image.json')).text)
await manager.shutdown()
