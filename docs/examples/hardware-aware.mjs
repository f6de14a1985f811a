// Enigma guide, Example 3: Hardware-Aware Loading.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModuleManager } from 'enigma'

/** Load modules based on available hardware. */
async function smartLoad(manager) {
  const hw = manager.hardwareProfile

  // Always load core
  await manager.load('model', { model: 'storyteller' })
  await manager.load('tokenizer')
  await manager.load('inference')

  // Memory if we have enough RAM
  if (hw.ram_mb >= 4096) await manager.load('memory')

  // GPU features
  if (hw.gpu_available && hw.vram_mb >= 6000) await manager.load('image_gen_local')

  // Voice on any system
  await manager.load('voice_output')

  console.log(`Loaded: ${manager.listLoaded()}`)
}

const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')] })
await smartLoad(manager)

const voice = manager.getInterface('voice_output')
await writeFile('hello.wav', await voice.speak('Hello!'))
console.log(`hello.wav, spoken in ${voice.engine}`)
console.log(manager.resources().text) // who holds how much of which memory
await manager.shutdown()
