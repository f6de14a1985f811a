// One cell of the matrix, in a process of its own: three healthy modules, then one that goes wrong. The last line is JSON.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ModuleError, ModuleManager, token } from '@enigma/kernel'
import { faultyModule, grace, limits } from './faults.mjs'

const options = { fault: { type: 'string' }, runtime: { type: 'string' }, phase: { type: 'string' } }
const { fault, runtime, phase } = parseArgs({ options }).values
const Base = token('base', '1.0')
const FaultyService = token('faulty-service', '1.0')

/** Three modules that have to stay as they are: a provider, one that uses it, one that listens and keeps a timer. */
function bystanders(manager) {
  let ticks = 0
  let heard = 0
  manager.register({
    manifest: { id: 'base', version: '1.0.0', provides: [{ capability: 'base', version: '1.0' }] },
    module: { load: (ctx) => ctx.provide(Base, { add: (a, b) => a + b }) },
  })
  manager.register({
    manifest: { id: 'user', version: '1.0.0', requires: ['base@^1'] },
    module: { load: (ctx) => ({ add: (a, b) => ctx.use(Base).add(a, b) }) },
  })
  manager.register({
    manifest: { id: 'listener', version: '1.0.0' },
    module: {
      load: (ctx) => void ctx.events.on('bystander.ping', () => heard++),
      start: (ctx) => void ctx.timers.setInterval(() => ticks++, 20),
    },
  })
  const ids = ['base', 'user', 'listener']
  return {
    ids,
    /** What is wrong with them, or undefined. */
    async wrong() {
      for (const id of ids) if (manager.getModule(id).state !== 'active') return `'${id}' is ${manager.getModule(id).state}`
      if (manager.getInterface('user').add(20, 22) !== 42) return "'user' does not answer"
      const before = { ticks, heard }
      manager.events.emit('bystander.ping', {})
      await delay(100)
      if (heard !== before.heard + 1) return "'listener' does not hear"
      return ticks === before.ticks ? "the timer of 'listener' stands still" : undefined
    },
  }
}

/** Processes of ours; undefined where the system does not tell. */
function children() {
  try {
    return readdirSync('/proc/self/task')
      .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '))
      .filter(Boolean).length
  } catch {
    return undefined
  }
}

const folder = await mkdtemp(join(tmpdir(), 'enigma-faults-'))
for (const [name, text] of Object.entries(faultyModule({ fault, runtime, phase }))) await writeFile(join(folder, name), text)
const manager = await ModuleManager.open({ modules: [folder], times: { warn: 60_000, grace } })
const codes = new Set()
manager.events.on('module.error', ({ code }) => codes.add(code))
const healthy = bystanders(manager)
for (const id of healthy.ids) await manager.load(id)

/** What could be left: listeners, taps of hooks, memory promised, processes, threads, pipes. */
const registered = () => ({
  listeners: manager.events.size,
  ledger: manager.ledger.length,
  children: children(),
  handles: process.getActiveResourcesInfo().filter((kind) => /Process|Pipe|Port|Worker/.test(kind)).length,
})
// Our own streams are pipes too, from their first use on.
void process.stdout
void process.stderr
const before = registered()
const attempt = async (operation, ms) => {
  try {
    const timer = delay(ms, 'timeout', { ref: false })
    return await Promise.race([operation(), timer])
  } catch (error) {
    codes.add(error instanceof ModuleError ? error.code : error.message)
    return 'failed'
  }
}

// As a user would: up, a call, down; each of them may fail, none may hang.
const patience = limits[runtime] + 30 * grace
await attempt(() => manager.load('faulty', undefined, { start: false }), patience)
if (manager.getModule('faulty').state === 'loaded') await attempt(() => manager.start('faulty'), patience)
if (manager.getModule('faulty').state === 'active') {
  await attempt(() => manager.getInterface('faulty').run(), phase === 'run' ? 1500 : patience)
  if (phase === 'run') await delay(10 * grace)
}
if (manager.getModule('faulty').state === 'active') await attempt(() => manager.stop('faulty'), patience)
const up = ['loaded', 'active'].includes(manager.getModule('faulty').state)
if (up) await attempt(() => manager.unload('faulty'), patience)
const { state } = manager.getModule('faulty')
// A late effect would come now.
if (fault === 'late effect') await delay(limits[runtime] + 10 * grace)

const others = await healthy.wrong()
let after = registered()
const differs = () => JSON.stringify(after) !== JSON.stringify(before)
for (let i = 0; i < 50 && differs(); i++) {
  await delay(50)
  after = registered()
}
const left = Object.keys(before).filter((key) => after[key] !== before[key])
if (await serves()) left.push('service')
async function serves() {
  try {
    manager.use(FaultyService)
    return true
  } catch {
    return false
  }
}
await attempt(() => manager.shutdown(), patience)
await rm(folder, { recursive: true })
// No process.exit: a process that does not end by itself has something open, and is killed by its parent.
console.log(JSON.stringify({ codes: [...codes], state, others, left }))
