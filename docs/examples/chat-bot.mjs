// Enigma guide, Example 1: Minimal Chat Bot.
import { createInterface } from 'node:readline'
import { ModuleManager } from 'enigma'

async function createChatbot() {
  const manager = await ModuleManager.open()

  // Load only what's needed
  await manager.load('model', { model: 'storyteller' })
  await manager.load('tokenizer')
  await manager.load('inference', { maxTokens: 30, temperature: 0 })

  return manager
}

const manager = await createChatbot()
const engine = manager.getInterface('inference')

const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: 'You: ' })
lines.prompt()
for await (const userInput of lines) {
  if (userInput.toLowerCase() === 'quit') break
  const response = await engine.generate(userInput)
  console.log(`AI: ${response}`)
  lines.prompt()
}

// Clean up
await manager.unload('inference')
await manager.unload('tokenizer')
await manager.unload('model')
console.log(`Still loaded: ${manager.listLoaded().length}`)
await manager.shutdown()
