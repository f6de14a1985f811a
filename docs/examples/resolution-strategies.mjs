// Enigma guide, "Conflict Prevention" and "Resolution Strategies".
import { join } from 'node:path'
import { ModuleManager } from 'enigma'

const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')], localOnly: false })
const config = { baseUrl: 'http://127.0.0.1:9/v1' }
const messageOf = (error) => error.message

// 1. Choose one
if (manager.hardwareProfile.gpu_available) await manager.load('image_gen_local')
else await manager.load('image_gen_api', config)

// Two modules with one capability do not load together.
const [mine] = manager.listLoaded()
const other = mine === 'image-gen-local' ? 'image_gen_api' : 'image_gen_local'
console.log(await manager.load(other).catch(messageOf))

// 2. Unload first, or in one step: manager.swap(mine, other)
await manager.unload(mine)
await manager.load('image_gen_local')

// 3. Check before load
const { ok, code, reason } = await manager.canLoad('image_gen_api')
if (!ok && code === 'CAPABILITY_TAKEN') console.log(`Image gen already loaded. ${reason}`)

// Explicit conflicts
class ModuleA {
  static INFO = { id: 'module_a', conflicts: ['image_gen_local'] } // Can't run together

  load() {
    return true
  }
}
manager.register(ModuleA)
console.log((await manager.tryLoad('module_a')).reason)

// Requirements are loaded along; `strict` refuses instead, as the guide does.
console.log(await manager.load('inference', {}, { strict: true }).catch(messageOf))
await manager.shutdown()
