import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModuleConfig, ModuleManager } from '@enigma/kernel'
import type { Gui } from '../types.js'

const modules = join(import.meta.dirname, '../../..')

interface TestConsole extends AsyncDisposable {
  readonly manager: ModuleManager
  readonly url: string
  /** The home folder. */
  readonly home: string
  /** Of the run file. */
  readonly token: string
}

/** A server with the console on a free port, in a home folder of its own. */
export async function startConsole(config: ModuleConfig = {}, further: readonly string[] = []): Promise<TestConsole> {
  const home = await mkdtemp(join(tmpdir(), 'enigma-gui-'))
  process.env.ENIGMA_HOME = home
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.loadAll([...further])
  await manager.load('api-server', { port: 0, drainSeconds: 5, ...config })
  await manager.load('gui')
  manager.getInterface<{ attach(manager: ModuleManager): void }>('api-server').attach(manager)
  const { token } = JSON.parse(await readFile(join(home, 'state', 'server.json'), 'utf8')) as { token: string }
  return {
    manager,
    home,
    url: manager.getInterface<Gui>('gui').url,
    token,
    async [Symbol.asyncDispose]() {
      await manager.shutdown()
      await rm(home, { recursive: true, force: true })
    },
  }
}
