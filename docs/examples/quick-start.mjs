// Enigma guide, "Quick Start".
import { ModuleManager } from 'enigma'

const manager = await ModuleManager.open()
await manager.load('model', { model: 'storyteller' }) // or { size: 'small' }: the newest model that you trained of this size
await manager.load('tokenizer')
await manager.load('inference')

// Now you can chat!
const engine = manager.getInterface('inference')
const response = await engine.generate('Hello!', { maxTokens: 20, seed: 1 })
console.log(`AI: ${response}`)
await manager.shutdown()
