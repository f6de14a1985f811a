// Enigma guide, "Custom Module Discovery".
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ModuleManager } from 'enigma'

// Folders with a module.yaml are found by the manager itself; none of their code runs before they are loaded.
const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')] })

/** Auto-discovers module classes in the files `*_module.mjs` of a directory. Importing runs their code: only take folders you trust. */
async function discoverModules(path) {
  const files = (await readdir(path)).filter((name) => name.endsWith('_module.mjs'))
  for (const name of files.sort()) {
    const exports = await import(pathToFileURL(join(path, name)).href)
    const classes = Object.values(exports).filter((item) => typeof item === 'function' && item.INFO)
    for (const one of classes) console.log(`Discovered ${manager.register(one)} in ${name}`)
  }
}

await discoverModules(join(import.meta.dirname, 'discovered'))
await manager.load('party')
console.log(manager.getInterface('party').invite(['Ada', 'Alan']).join(' '))
console.log(`From folders: ${manager.listModules({ category: 'generation' }).map(({ id }) => id)}`)
await manager.shutdown()
