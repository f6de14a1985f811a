import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bin, Place } from './enigma.test.fixture.js'

// A house of modules: a reader needs light, which the lamp or the candle gives; the fuse fails, the mast needs the cloud, and
// hen and egg need one another.
const house: Readonly<Record<string, [manifest: string, code?: string]>> = {
  reader: ['requires: [light@^1]\n'],
  lamp: [
    'provides: [{ capability: light, version: "1.0", priority: 60 }]\nconfig: { type: object, properties: { watts: { type: integer, default: 5 } } }\n' +
      'permissions: { net: [grid.example], child: true }\nlifecycle: { loadTimeout: 5s }\nactivation: ["onCapability:light"]\n',
    "export default { load: (ctx) => { const light = () => ctx.config.watts; ctx.provide({ name: 'light', version: '1.0' }, { light }); ctx.timers.setInterval(() => 0, 1e6); return { light } } }",
  ],
  candle: [
    'provides: [{ capability: light, version: "1.0" }]\nconfig: { type: object, properties: { wax: { type: string } } }\n',
    "export default { load: (ctx) => { const light = () => 1; ctx.provide({ name: 'light', version: '1.0' }, { light }); return { light } } }",
  ],
  fuse: ['provides: [{ capability: light, version: "1.0" }]\n', "export default { load() { throw new Error('no current') } }"],
  mast: ['cloud: true\n'],
  hen: ['requires: [egg]\n'],
  egg: ['requires: [hen]\n'],
}

let place: Place
const env = () => ({ ENIGMA_MODULES: place.path('house') })
const run = (...args: string[]) => place.run(['modules', ...args], { env: env() })
const json = async <T = Record<string, unknown>>(...args: string[]): Promise<T> =>
  JSON.parse((await run(...args, '--json')).stdout)
const savedSet = () => place.path('home/enigma_modules.json')
/** As if the modules had been loaded one by one. */
const keep = (...ids: string[]) =>
  writeFile(savedSet(), JSON.stringify({ version: 1, modules: Object.fromEntries(ids.map((id) => [id, {}])) }))
const saved = async () =>
  JSON.parse(await readFile(savedSet(), 'utf8')) as {
    modules: Record<string, { config: unknown }>
    disabled: string[]
  }

async function build(): Promise<void> {
  for (const [id, [manifest, code = 'export default {}']] of Object.entries(house)) {
    const folder = place.path('house', id)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await writeFile(join(folder, 'module.yaml'), `id: ${id}\nversion: 1.0.0\nentry: ./index.js\n${manifest}`)
    await writeFile(join(folder, 'index.js'), code)
  }
}

beforeAll(async () => {
  place = await Place.make()
  await build()
  await mkdir(place.path('home'))
})
afterAll(() => place[Symbol.asyncDispose]())
beforeEach(() => rm(savedSet(), { force: true }))

describe('modules swap', () => {
  it('puts one provider in the place of another, with its config, and saves it', async () => {
    await keep('lamp', 'reader')
    const swapped = await run('swap', 'lamp', 'candle', '--config', '{"wax":"bee"}')
    expect(swapped).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/'candle' took the place of 'lamp'/) })
    expect((await saved()).modules).toMatchObject({ candle: { config: { wax: 'bee' } }, reader: {} })
    expect(Object.keys((await saved()).modules).sort()).toEqual(['candle', 'reader'])
    expect(await json('swap', 'candle', 'lamp')).toMatchObject({ from: 'candle', to: 'lamp', loaded: ['lamp'] })
  })

  it('leaves the old one, and the saved set, when the new one fails or may not', async () => {
    await keep('lamp')
    const before = await saved()
    const failed = await run('swap', 'lamp', 'fuse')
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/fuse.*no current/) })
    expect((await run('swap', 'candle', 'lamp')).stderr).toMatch(/'candle' not loaded. Load it first: enigma modules load candle/)
    expect((await run('swap', 'lamp', 'candle', '--config', '{')).code).toBe(2)
    expect(await saved()).toEqual(before)
  })
})

describe('modules disable and enable', () => {
  it('take a module out of use and back, and say what is in the way', async () => {
    await keep('lamp', 'reader')
    const refused = await run('disable', 'lamp')
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/required by 'reader'. Unload it first, or add --cascade/),
    })
    expect(await json('disable', 'lamp', '--cascade')).toMatchObject({ id: 'lamp', changed: true, unloaded: ['reader', 'lamp'] })
    expect(await saved()).toMatchObject({ modules: {}, disabled: ['lamp'] })
    expect((await run('load', 'lamp')).stderr).toMatch(/is disabled. Enable it first: enigma modules enable lamp/)
    expect((await run('enable', 'lamp')).stdout).toMatch(/'lamp' may be loaded again/)
    expect((await run('enable', 'lamp')).stdout).toBe("'lamp' was not disabled.\n")
  })
})

describe('a module in quarantine', () => {
  it('is shown as such, not loaded, and released by enable, also while the saved set names it', async () => {
    const since = '2026-01-02T03:04:05.000Z'
    const modules = [{ id: 'lamp', version: '1.0.0', reason: 'It crashed 3 times.', since }]
    await mkdir(place.path('home/state'), { recursive: true })
    await writeFile(place.path('home/state/quarantine.json'), JSON.stringify({ modules }))
    await keep('lamp')
    expect((await run('info', 'lamp')).stdout).toMatch(/quarantine +since 2026-01-02T03:04:05.000Z: It crashed 3 times\./)
    const refused = await run('load', 'lamp')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/in quarantine.*run: enigma modules enable lamp/) })
    expect((await run('enable', 'lamp')).stdout).toMatch(/'lamp' may be loaded again/)
    expect((await run('load', 'lamp')).code).toBe(0)
  })
})

describe('modules why-not and why', () => {
  it('name the chain and the alternatives beside what is loaded', async () => {
    await keep('candle')
    const { code, stdout } = await run('why-not', 'lamp')
    expect(code).toBe(1)
    expect(stdout).toMatch(/'lamp' cannot be loaded: .*candle/)
    expect(await json('why-not', 'reader')).toMatchObject({ ok: true, id: 'reader', state: 'unloaded' })
  })

  it('answer with exit code 1 for what cannot be loaded: a cycle, the cloud', async () => {
    const cycle = await run('why', 'hen')
    expect(cycle).toMatchObject({ code: 1, stdout: expect.stringContaining('egg -> hen -> egg') })
    const cloud = await run('why-not', 'mast')
    expect(cloud).toMatchObject({ code: 1, stdout: expect.stringContaining('Set ENIGMA_ALLOW_CLOUD=1') })
    const allowed = await place.run(['modules', 'load', 'mast'], { env: { ...env(), ENIGMA_ALLOW_CLOUD: '1' } })
    expect(allowed.code).toBe(0)
  })
})

describe('modules ledger, timeline, effects, info and graph', () => {
  it('look at the saved set', async () => {
    await keep('lamp', 'reader')
    expect(await json('timeline')).toMatchObject({ entries: [{ id: 'lamp' }, { id: 'reader' }] })
    expect(await json('effects', 'lamp')).toEqual({ id: 'lamp', effects: ['provide light', 'setInterval'] })
    expect(await json('ledger')).toMatchObject({ modules: [], pools: [{ name: expect.any(String), total: expect.any(Number) }] })
    const { stdout } = await run('info', 'lamp')
    expect(stdout).toMatch(/reach grid\.example/)
    expect(stdout).toMatch(/activation +onCapability:light/)
    expect(stdout).toMatch(/lifecycle +load 5 s, start 60 s, stop 10 s/)
  })

  it('draw the graph', async () => {
    const mermaid = (await run('graph', '--format', 'mermaid')).stdout
    const [, reader] = /(m\d+)\["reader"\]/.exec(mermaid)!
    const [, lamp] = /(m\d+)\["lamp"\]/.exec(mermaid)!
    expect(mermaid).toMatch(/^flowchart TD\n/)
    expect(mermaid).toContain(`${reader} --> ${lamp}\n`)
    expect((await run('graph', '--format', 'dot')).stdout).toMatch(
      /^digraph modules \{\n(.*\n)* {2}"reader" -> "lamp"\n(.*\n)*\}\n$/,
    )
    expect(JSON.parse((await run('graph', '--format', 'json')).stdout)).toEqual(await json('graph'))
    expect((await run('graph', '--format', 'png')).code).toBe(2)
  })
})

describe('modules reload', () => {
  it('takes new code over, which nothing else does, and keeps the saved set when it is broken', async () => {
    await run('load', 'lamp')
    await writeFile(place.path('house/lamp/index.js'), 'export default { load: () => ({ light: () => 9 }) }')
    expect((await run('effects', 'lamp')).stderr).toMatch(
      /index.js is changed. If that is meant, run: enigma modules load lamp --accept lamp/,
    )
    expect(await json('reload', 'lamp')).toMatchObject({ id: 'lamp', version: '1.0.0', up: true })
    const before = await saved()
    await writeFile(place.path('house/lamp/index.js'), 'export default {\n  load(')
    const broken = await run('reload', 'lamp')
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining('index.js:2: ') })
    expect(await saved()).toEqual(before)
    await build()
  })

  it('--watch reloads at each edit until it is stopped', async () => {
    const child = spawn(process.execPath, [bin, 'modules', 'reload', 'lamp', '--watch', '--json'], {
      cwd: place.folder,
      env: { ...place.environment, ...env() },
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await lines.next()).value as string) as unknown
    const edit = (text: string) => writeFile(place.path('house/lamp/index.js'), text)
    expect(await next()).toEqual({ event: 'watching', id: 'lamp', state: 'active' })
    await edit('export default {')
    expect(await next()).toMatchObject({ event: 'failed', id: 'lamp', message: expect.stringContaining('index.js:1') })
    await build()
    expect(await next()).toMatchObject({ event: 'reloaded', id: 'lamp', version: '1.0.0' })
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  })
})
