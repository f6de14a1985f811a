// Enigma guide, Example 4: Dynamic Module Switching. And the one line that takes its place.
import { join } from 'node:path'
import { ModuleManager, token } from 'enigma'

const { OPENAI_API_KEY: apiKey = '', OPENAI_BASE_URL: baseUrl = 'https://api.openai.com/v1' } = process.env
const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')], localOnly: false })

/** Switch between local and cloud image generation, as in the guide. */
async function switchImageProvider(useCloud = false) {
  // Unload current if any
  if (manager.listLoaded().includes('image-gen-local')) await manager.unload('image_gen_local')
  if (manager.listLoaded().includes('image-gen-api')) await manager.unload('image_gen_api')

  // Load new one
  if (useCloud) {
    await manager.load('image_gen_api', { apiKey, baseUrl })
    console.log('Switched to cloud generation')
  } else {
    await manager.load('image_gen_local')
    console.log('Switched to local generation')
  }
}

await switchImageProvider(false)
await switchImageProvider(true)

// Between the two above nobody draws, and a failed load leaves nothing. `swap` keeps the old one until the new one serves,
// and what others hold of it leads to the new one.
const images = manager.use(token('image-generation', '1.0'))
const { order } = await manager.swap('image_gen_api', 'image_gen_local', { steps: 10 })
console.log(`Swapped, ${order}: ${manager.listLoaded()}`)
console.log(`${(await images.generate('a moon over hills')).width} pixels wide`)

const refused = await manager.swap('image_gen_local', 'image_gen_api', { baseUrl: 'nowhere' }).catch((error) => error)
console.log(`${refused.code}: still there is ${manager.listLoaded()}`)
await manager.shutdown()
