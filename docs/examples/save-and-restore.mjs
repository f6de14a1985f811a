// Enigma guide, "Save/Load Configuration".
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModuleManager } from 'enigma'

const modules = [join(import.meta.dirname, 'modules')]

// Save which modules are loaded
const manager = await ModuleManager.open({ modules })
await manager.load('image_gen_local', { steps: 50 })
await manager.load('memory', { path: 'conversations.json' })
await manager.saveConfig('my_config.json')
await manager.shutdown()

// Later, restore: all of it or nothing, and it says what it changed
const newManager = await ModuleManager.open({ modules })
await newManager.load('voice_output')
const { text } = await newManager.loadConfig('my_config.json')
console.log(text)
console.log(`Loaded: ${newManager.listLoaded()}, steps: ${newManager.getModule('image_gen_local').config.steps}`)

// The file that the guide's program writes is read too
const old = { loaded_modules: { voice_output: { config: {}, active: true } }, disabled_modules: ['memory'] }
await writeFile('old_config.json', JSON.stringify(old))
await newManager.loadConfig('old_config.json')
console.log(`Loaded: ${newManager.listLoaded()}, memory is ${newManager.getModule('memory').state}`)
await newManager.shutdown()
