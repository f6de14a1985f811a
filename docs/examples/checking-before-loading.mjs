// Enigma guide, "Checking Before Loading" and "Always Check Hardware".
import { join } from 'node:path'
import { ModuleManager } from 'enigma'

// A machine of half a gigabyte without a GPU; leave `hardware` out to take yours.
const hardware = { gpus: [], ramTotal: 512 * 2 ** 20, ramFree: 300 * 2 ** 20 }
const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')], hardware })
manager.register({
  manifest: {
    id: 'image-gen-large',
    version: '1.0.0',
    provides: ['image-generation'],
    resources: { ram: '2GB', vram: '6GB', gpu: true },
  },
  module: {},
})

// No code of a module runs for the answer.
const { ok, reason, alternatives } = await manager.canLoad('image_gen_large')
if (ok) {
  await manager.load('image_gen_large')
} else {
  console.log(`Cannot load: ${reason}`)
  console.log(`What would do instead: ${alternatives}`)
  await manager.load(alternatives[0])
}
console.log(`Loaded: ${manager.listLoaded()}`)

// A module that reaches out of this machine is refused, until the manager is opened with `localOnly: false`.
await manager.unload(alternatives[0])
console.log((await manager.canLoad('image_gen_api')).reason)
await manager.shutdown()
