// Enigma guide, Example 2: Multimodal AI (Text + Images).
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { ModuleManager } from 'enigma'

const { OPENAI_BASE_URL: baseUrl = 'https://api.openai.com/v1' } = process.env
// `localOnly: false` lets modules reach out of this machine.
const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')], localOnly: false })

// Core text AI; `inference` brings the model and the tokenizer
await manager.load('inference', { maxTokens: 20, temperature: 0 })
await manager.load('memory') // Remember conversations

// Add image generation
if (manager.hardwareProfile.gpu_available) {
  await manager.load('image_gen_local')
} else {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const apiKey = await lines.question('Enter OpenAI API key: ')
  lines.close()
  await manager.load('image_gen_api', { apiKey, baseUrl })
}

// Use both
const textEngine = manager.getInterface('inference')
const memory = manager.getInterface('memory')
const imageGen = manager.getInterface(manager.listLoaded().includes('image-gen-local') ? 'image_gen_local' : 'image_gen_api')

async function chatWithImages(prompt) {
  // Generate text response
  const text = await textEngine.generate(prompt)
  await memory.add('today', { role: 'user', content: prompt }, { role: 'assistant', content: text })

  // If prompt asks for image, generate it
  const asksForImage = /draw|image/i.test(prompt)
  return { text, ...(asksForImage && { image: await imageGen.generate(prompt) }) }
}

const { text, image } = await chatWithImages('Draw a sunset over mountains')
await writeFile('sunset.png', image.bytes)
console.log(`\nAI: ${text}`)
console.log(`${image.mimeType}, ${image.bytes.length} bytes`)
console.log(`Remembered: ${memory.messages('today').length} messages`)
await manager.shutdown()
