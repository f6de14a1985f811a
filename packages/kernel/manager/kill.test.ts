import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/build.js'

// `kill -9` of the host at any moment: the next start restores the saved set, the last one or the one that was being written.

const host = fileURLToPath(new URL('../testing/kill-host.js', import.meta.url))
const kills = process.env.ENIGMA_SOAK === undefined ? 5 : 100

const plain = 'export default { load: () => ({}) }'
const moduleFiles: Record<string, string> = {
  'modules/a/module.yaml': 'id: a\nversion: 1.0.0\nentry: ./index.mjs\n',
  'modules/a/index.mjs': plain,
  'modules/b/module.yaml': 'id: b\nversion: 1.0.0\nentry: ./index.mjs\nrequires: [a]\n',
  'modules/b/index.mjs': plain,
  'modules/c/module.yaml':
    'id: c\nversion: 1.0.0\nentry: ./index.mjs\nconfig: { type: object, properties: { level: { type: integer, default: 0 } } }\n',
  'modules/c/index.mjs': plain,
  'modules/d/module.yaml': 'id: d\nversion: 1.0.0\nentry: ./index.mjs\nrequires: [b, c]\n',
  'modules/d/index.mjs': plain,
}

let remove: (() => void) | undefined
afterEach(() => remove?.())

interface Life {
  /** What it had after the restore. */
  restored: string
  /** The sets that may be on disk when it is killed. */
  possible: string[]
  quarantined: string[]
}

/** Runs the host until `ms` after its restore, and kills it. */
function live(home: string, ms: number, ...idle: string[]): Promise<Life> {
  const child = spawn(process.execPath, [host, home, ...idle], { stdio: ['ignore', 'pipe', 'inherit'] })
  const life: Life = { restored: '', possible: [], quarantined: [] }
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as {
        restored?: string
        failed?: string
        saving?: string
        saved?: string
        quarantined?: string
      }
      if (line.failed !== undefined) {
        child.kill('SIGKILL')
        reject(new Error(line.failed))
      }
      if (line.restored !== undefined) {
        life.restored = line.restored
        life.possible = [line.restored]
        setTimeout(() => child.kill('SIGKILL'), ms)
      }
      if (line.saving !== undefined) life.possible.push(line.saving)
      if (line.saved !== undefined) life.possible = [line.saved]
      if (line.quarantined !== undefined) {
        life.quarantined.push(line.quarantined)
        setImmediate(() => child.kill('SIGKILL'))
      }
    })
    child.on('close', () => resolve(life))
  })
}

test('a killed host restores the set that was saved last, or the one it was saving', async () => {
  const { path: home, ...folder } = temporaryFolder({ ...moduleFiles, 'modules.json': '{"version":1,"modules":{}}' })
  remove = folder.remove
  let before = await live(home, 30)
  const seen = new Set<string>()
  // On a busy machine a host may be killed again and again before it has saved a change: more lives, then.
  for (let i = 0; i < kills || (seen.size < 2 && i < 100); i++) {
    const after = await live(home, 1 + ((i * 37) % 60))
    expect(before.possible).toContain(after.restored)
    seen.add(after.restored)
    before = after
  }
  expect(seen.size).toBeGreaterThan(1)
}, 300_000)

test('a quarantine survives the host', async () => {
  const { path: home, ...folder } = temporaryFolder({
    'modules.json': '{"version":1,"modules":{"daemon":{}}}',
    'modules/daemon/module.yaml':
      'id: daemon\nversion: 1.0.0\nkind: daemon\nentry: ./index.mjs\nlifecycle: { restart: on-failure }\n',
    'modules/daemon/index.mjs':
      'export default { start: (ctx) => void ctx.timers.setTimeout(() => { throw new Error("again") }, 1) }',
  })
  remove = folder.remove
  const first = await live(home, 10_000, 'idle')
  expect(first.quarantined).toContain('daemon')
  await expect(live(home, 10, 'idle')).rejects.toThrow(/'daemon' is in quarantine.*again/)
})
