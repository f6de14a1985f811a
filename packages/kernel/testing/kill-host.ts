import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ModuleManager } from '../manager/manager.js'

// A host that is killed at any moment: it restores the saved set, then changes and saves it again and again. Each saved set is
// told on stdout before and after it is written, so that the one who kills knows what may be on disk.

const [home, idle] = process.argv.slice(2) as [string, string?]
const path = join(home, 'modules.json')
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const manager = await ModuleManager.open({
  modules: [join(home, 'modules')],
  stateFolder: join(home, 'state'),
  hardware: { gpus: [] },
  supervision: { base: 1 },
})
manager.events.on('module.quarantined', ({ id }) => say({ quarantined: id }))
await manager.loadConfig(path).catch((error: { code?: string; message: string }) => say({ failed: error.message }))
say({ restored: state(manager) })

const ids = manager.listModules().map(({ id }) => id)
if (idle) setInterval(() => undefined, 1000)
for (let round = 0; !idle; round++) {
  const random = createHash('sha256').update(`${process.pid}.${round}`).digest()
  const id = ids[random[0]! % ids.length]!
  const act = [
    () => manager.load(id, id === 'c' ? { level: random[1]! } : undefined),
    () => manager.unload(id, { cascade: true }),
    () => manager.disable(id, { cascade: true }),
    () => manager.enable(id),
  ][random[2]! % 4]!
  await act().catch(() => undefined)
  say({ saving: state(manager) })
  await manager.saveConfig(path)
  say({ saved: state(manager) })
}

function state(from: ModuleManager): string {
  const line = ({ id, state }: { id: string; state: string }) => {
    if (state !== 'active') return `${id}:${state === 'error' ? 'unloaded' : state}`
    return `${id}:${state}${JSON.stringify(from.getModule(id).config)}`
  }
  return from.listModules().map(line).join(' ')
}
