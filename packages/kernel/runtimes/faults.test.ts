import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import type { ManifestInput } from '../manifest/manifest.js'
import { type ApartModule, openApart } from '../testing/apart.js'

// What a module elsewhere can do wrong, in each of its functions: it fails, by name; the others stay as they are.

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function start(modules: readonly ApartModule[]) {
  const made = await openApart(modules, { times: { warn: 5000, grace: 50 } })
  open.push(made)
  const crashed: string[] = []
  made.manager.events.on('module.error', ({ id, message }) => void crashed.push(`${id}: ${message}`))
  made.manager.register({ manifest: { id: 'bystander', version: '1.0.0' }, module: { load: () => ({ ping: () => 'pong' }) } })
  await made.manager.load('bystander')
  return { ...made, crashed }
}

const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).length

const faults = {
  throws: 'throw new Error("as written")',
  rejects: 'return Promise.reject(new Error("as written"))',
  'never settles': 'return new Promise(() => {})',
  'loops for ever': 'for (;;);',
  exits: 'process.exit(3)',
  'throws later': 'setTimeout(() => { throw new Error("as written") }, 1); return new Promise(() => {})',
  'eats memory': 'const all = []; for (;;) all.push(new Array(1000).fill({}))',
} as const

const said: Readonly<Record<keyof typeof faults, RegExp>> = {
  throws: /as written/,
  rejects: /as written/,
  'never settles': /did not \w+ in 400 ms/,
  'loops for ever': /did not \w+ in 400 ms/,
  exits: /code 3/,
  'throws later': /as written/,
  'eats memory': /memory/,
}

const limits = { loadTimeout: '400ms', startTimeout: '400ms', stopTimeout: '400ms', heartbeat: '400ms' }
// A thread may take the whole process with it when memory ends: not tried here.
const cells = (['process', 'worker'] as const).flatMap((runtime) =>
  (Object.keys(faults) as (keyof typeof faults)[])
    .filter((fault) => runtime === 'process' || fault !== 'eats memory')
    // Every fault, but not at every time; all of them in a long run.
    .flatMap((fault, i) =>
      (['load', 'start', 'stop'] as const)
        .filter((_, when) => process.env.ENIGMA_SOAK || when === i % 3)
        .map((when) => ({ runtime, fault, when })),
    ),
)

const bad = (runtime: 'process' | 'worker', code: string, manifest: Partial<ManifestInput> = {}): ApartModule => ({
  manifest: { id: 'bad', runtime, lifecycle: limits, resources: { ram: '48MB' }, ...manifest },
  files: { 'index.mjs': code },
})

// A new process takes a while on a busy machine: the limit of `load` is only short where it is what is tried.
const unhurried = { ...limits, loadTimeout: '20s' }

describe.each(cells)('a module in a $runtime that $fault in $when', ({ runtime, fault, when }) => {
  const slow = fault === 'eats memory'
  const lifecycle =
    when === 'load' && !slow ? limits : slow ? { ...unhurried, startTimeout: '20s', stopTimeout: '20s' } : unhurried
  const reason = fault === 'exits' && when === 'load' ? /code 3|did not load/ : said[fault]

  test('fails by name; the others stay, and nothing of it does', async () => {
    const { manager } = await start([bad(runtime, `export default { ${when}() { ${faults[fault]} } }`, { lifecycle })])
    const done = when === 'stop' ? manager.load('bad').then(() => manager.stop('bad')) : manager.load('bad')
    const error = await done.then(
      () => undefined,
      (thrown: unknown) => thrown as { message: string; module: string },
    )
    expect(error?.module).toBe('bad')
    if (when !== 'load' || slow) expect(error?.message).toMatch(reason)
    expect(manager.getModule('bad')).toMatchObject({ state: 'error', stuck: false })
    expect(manager.getInterface<{ ping(): string }>('bystander').ping()).toBe('pong')
    expect(manager.ledger).toEqual([])
    await expect.poll(children).toBe(0)
  })
})

describe.each(['process', 'worker'] as const)('while it runs, a module in a %s', (runtime) => {
  const code = `export default { load: (ctx) => {
    const api = {
      fine: () => 'fine',
      exit: () => process.exit(3),
      later: () => void setTimeout(() => { throw new Error('as written') }, 1),
      reject: () => void Promise.reject(new Error('as written')),
      spin: () => { for (;;); },
      give: () => ctx.fail(new Error('given up')),
      hang: () => new Promise(() => {}),
    }
    ctx.provide({ name: 'bad', version: '1.0' }, api)
    return api
  } }`
  interface Api {
    fine(): Promise<string>
    [name: string]: () => Promise<unknown>
  }

  test.each([
    ['exit', /code 3/],
    ['later', /as written/],
    ['reject', /as written/],
    ['spin', /did not answer for 400 ms/],
    ['give', /given up/],
  ] as const)('that does %s fails by name, and can be loaded again', async (what, reason) => {
    const { manager, crashed } = await start([bad(runtime, code, { lifecycle: unhurried })])
    await manager.load('bad')
    const api = manager.getInterface<Api>('bad')
    const failed = new Promise((resolve) => manager.events.on('module.error', resolve))
    const underWay = api.hang!().catch((error: unknown) => error)
    await api[what]!().catch(() => undefined)
    await failed
    expect(crashed).toEqual([expect.stringMatching(reason)])
    expect(await underWay).toMatchObject({ code: 'SERVICE_GONE' })
    expect(() => api.fine()).toThrow(expect.objectContaining({ code: 'SERVICE_GONE' }))
    expect(manager.getModule('bad').state).toBe('error')
    expect(manager.getModule('bystander').state).toBe('active')
    await manager.load('bad')
    expect(await manager.getInterface<Api>('bad').fine()).toBe('fine')
  })
})

test('a process that says something else than agreed, or answers for others, is ended by name', async () => {
  const code = `
    import { writeSync } from 'node:fs'
    export default { load: () => ({ say: (text) => void writeSync(3, text + '\\n') }) }`
  for (const [text, reason] of [
    ['nonsense', /A message is not JSON/],
    ['[]', undefined],
    ['{"jsonrpc":"2.0","id":1,"result":{"$":"wicked"}}', undefined],
    [
      '{"jsonrpc":"2.0","method":"service","params":{"way":"use","name":"bystander","version":"1.0","method":"ping","args":[]}}',
      undefined,
    ],
    ['{"jsonrpc":"2.0","id":9,"method":"call","params":7}', undefined],
    ['7', /a message that is no object/],
  ] as const) {
    const { manager, crashed } = await start([bad('process', code, { lifecycle: unhurried })])
    await manager.load('bad')
    const api = manager.getInterface<{ say(text: string): Promise<void> }>('bad')
    const said = api.say(text).catch((error: { code: string }) => error.code)
    if (reason === undefined) {
      await said
      expect(await api.say('{}')).toBeUndefined()
      expect(manager.getModule('bad').state).toBe('active')
    } else {
      await expect.poll(() => crashed.join()).toMatch(reason)
      expect(manager.getModule('bystander').state).toBe('active')
    }
  }
})

test.skipIf(process.platform !== 'linux')('a process that takes too much memory outside of the heap is refused it', async () => {
  const code = `export default { load: () => ({ take: () => { const all = []; for (let i = 0; i < 40; i++) all.push(Buffer.alloc(5e7, 1)); return all.length } }) }`
  const { manager } = await start([bad('process', code, { lifecycle: unhurried })])
  await manager.load('bad')
  await expect(manager.getInterface<{ take(): Promise<number> }>('bad').take()).rejects.toThrow(/allocation failed|gone/)
})
