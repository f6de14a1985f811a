// systemprompt-os guide, "Module CLI Commands". The module is modules/uptime: its module.yaml and cli/status.js are as the guide has them.
// On the command line: ENIGMA_MODULES=docs/examples/modules enigma uptime:status
import { join } from 'node:path'
import { ModuleManager } from 'enigma'

const manager = await ModuleManager.open({ modules: [join(import.meta.dirname, 'modules')] })
const { kind, provides, commands } = manager.listModules({ capability: 'uptime' })[0]
console.log(`${kind}, provides ${provides}, commands: ${commands.map(({ name }) => `uptime:${name}`)}`)

// The same from a program: what the command asks for is loaded first.
console.log(await manager.runCommand('uptime', 'status'))
console.log(`Loaded: ${manager.listLoaded()}`)
await manager.shutdown()
