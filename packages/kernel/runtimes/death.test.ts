import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/build.js'

/** Processes with a text on their command line. Their numbers as they see them may be others (bubblewrap). */
function processes(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

test.skipIf(process.platform !== 'linux')(
  'when the manager is killed its modules end, even one in an endless loop, and what they have started',
  async () => {
    const marker = `1${process.pid}${Date.now()}`
    const folder = temporaryFolder({
      'busy/module.yaml': 'id: busy\nversion: 1.0.0\nruntime: process\nentry: ./index.mjs\npermissions: { child: true }',
      'busy/index.mjs': `
      import { spawn } from 'node:child_process'
      export default { load: () => ({ begin: () => void spawn('sleep', ['${marker}']), spin: () => { for (;;); } }) }`,
      'host.mjs': `
      import { ModuleManager } from ${JSON.stringify(join(import.meta.dirname, '../index.js'))}
      const manager = await ModuleManager.open({ modules: [import.meta.dirname] })
      await manager.load('busy')
      const busy = manager.getInterface('busy')
      await busy.begin()
      console.log('begun')
      busy.spin().catch(() => {})`,
    })
    const host = spawn(process.execPath, [join(folder.path, 'host.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
    const others = () => [...processes(folder.path), ...processes(marker)].filter((pid) => pid !== host.pid)
    try {
      await once(createInterface(host.stdout), 'line')
      expect(others().length).toBeGreaterThanOrEqual(2)
    } finally {
      host.kill('SIGKILL')
    }
    await expect.poll(others, { timeout: 5000 }).toEqual([])
    folder.remove()
  },
)
