import { afterEach, expect, test } from 'vitest'
import { defineModule } from '../define.js'
import { ServiceGone } from '../errors.js'
import type { ModuleContext } from '../lifecycle/context.js'
import { token } from '../lifecycle/services.js'
import { gigabyte, openManager, tracked } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

interface Llm {
  generate(prompt: string): string
}
const TextGeneration = token<Llm>('text-generation', '1.0')

const open: ModuleManager[] = []
async function manager(options?: Parameters<typeof openManager>[0]): Promise<ModuleManager> {
  const made = await openManager(options)
  open.push(made)
  return made
}
afterEach(async () => {
  for (const one of open.splice(0)) await one.shutdown()
})

function core(manager: ModuleManager, log: string[] = []): string[] {
  tracked(manager, log, 'model', { provides: ['language-model'], category: 'core' }, { load: () => ({ size: 'small' }) })
  tracked(manager, log, 'tokenizer', { provides: ['tokenization'], category: 'core' })
  tracked(
    manager,
    log,
    'inference',
    { requires: ['model', 'tokenizer'], provides: ['text-generation'], category: 'core', kind: 'service' },
    {
      load(ctx) {
        const api: Llm = { generate: (prompt) => `${prompt}!` }
        ctx.provide(TextGeneration, api)
        return api
      },
    },
  )
  return log
}

test('load brings in what is missing, starts all, and reports it', async () => {
  const m = await manager()
  const log = core(m)
  const closures: unknown[] = []
  m.events.on('module.closure', (payload) => closures.push(payload))
  const report = await m.load('inference')
  expect(report).toEqual({
    id: 'inference',
    loaded: ['model', 'tokenizer', 'inference'],
    closure: ['model', 'tokenizer'],
    started: ['model', 'tokenizer', 'inference'],
  })
  expect(closures).toEqual([{ goal: 'inference', modules: ['model', 'tokenizer'] }])
  expect(log).toEqual(['load model', 'load tokenizer', 'load inference', 'start model', 'start tokenizer', 'start inference'])
  expect(m.getInterface<Llm>('inference').generate('Hello')).toBe('Hello!')
})

test('a module loaded with start: false serves its interface and can be started and stopped', async () => {
  const m = await manager()
  const log = core(m)
  await m.load('model', undefined, { start: false })
  expect(m.getModule('model').state).toBe('loaded')
  expect(m.getInterface<{ size: string }>('model').size).toBe('small')
  await m.start('model')
  await m.start('model')
  expect(m.getModule('model').state).toBe('active')
  await m.stop('model')
  await m.stop('model')
  expect(m.getModule('model').state).toBe('loaded')
  expect(log).toEqual(['load model', 'start model', 'stop model'])
})

test('starting a module starts what it requires', async () => {
  const m = await manager()
  core(m)
  await m.load('inference', undefined, { start: false })
  await m.start('inference')
  expect(m.listModules().map(({ id, state }) => [id, state])).toEqual([
    ['inference', 'active'],
    ['model', 'active'],
    ['tokenizer', 'active'],
  ])
})

test('strict refuses with the sentence of the seed until the requirements are loaded', async () => {
  const m = await manager()
  core(m)
  expect((await m.tryLoad('inference', undefined, { strict: true })).reason).toMatch(/^Required module 'model' not loaded/)
  await m.load('model')
  expect((await m.tryLoad('inference', undefined, { strict: true })).reason).toMatch(/^Required module 'tokenizer' not loaded/)
  await m.load('tokenizer')
  expect(await m.tryLoad('inference', undefined, { strict: true })).toEqual({ ok: true, reason: 'OK' })
})

test.each([true, false])('a second provider of one capability is refused by name (first started: %s)', async (start) => {
  const m = await manager()
  core(m)
  tracked(m, [], 'chat-api', { provides: ['text-generation'] })
  await m.load('inference', undefined, { start })
  await expect(m.load('chat_api')).rejects.toMatchObject({
    code: 'CAPABILITY_TAKEN',
    message: "Capability 'text-generation' already provided by 'inference'. Unload it first.",
  })
  await m.unload('inference')
  await m.load('chat_api')
  await expect(m.load('inference')).rejects.toThrow("already provided by 'chat-api'")
})

test('canLoad answers with plan, reason and alternatives, and runs no module code', async () => {
  const m = await manager()
  const log = core(m)
  tracked(m, log, 'image-gen-local', { provides: ['image-generation'], resources: { gpu: true, vram: '6GB' } })
  tracked(m, log, 'image-gen-small', { provides: ['image-generation'] })
  expect(await m.canLoad('inference')).toEqual({
    ok: true,
    reason: 'OK',
    code: undefined,
    plan: ['model', 'tokenizer', 'inference'],
    alternatives: [],
    because: [],
  })
  const answer = await m.canLoad('image_gen_local')
  expect(answer).toMatchObject({ ok: false, code: 'NO_GPU', alternatives: ['image-gen-small'] })
  expect(answer.reason).toMatch(/^Module requires GPU but none available/)
  expect(await m.canLoad('modl')).toMatchObject({ ok: false, reason: "Module 'modl' not registered; did you mean 'model'?" })
  expect(log).toEqual([])
})

test('unload is refused while others need the module; cascade takes them down first', async () => {
  const m = await manager()
  const log = core(m)
  await m.load('inference')
  await expect(m.unload('model')).rejects.toMatchObject({
    code: 'REQUIRED_BY',
    message: "Cannot unload 'model': required by 'inference'. Unload it first, or pass { cascade: true }.",
    modules: ['inference'],
  })
  await expect(m.stop('model')).rejects.toMatchObject({ code: 'REQUIRED_BY' })
  log.length = 0
  expect(await m.unload('model', { cascade: true })).toEqual({ unloaded: ['inference', 'model'] })
  expect(log).toEqual(['stop inference', 'unload inference', 'stop model', 'unload model'])
  expect(m.listLoaded()).toEqual(['tokenizer'])
})

test('after an unload interfaces held by others throw ServiceGone, and getInterface says what to do', async () => {
  const m = await manager()
  core(m)
  await m.load('inference')
  const engine = m.getInterface<Llm>('inference')
  await m.unload('inference')
  expect(() => engine.generate('x')).toThrow(ServiceGone)
  expect(() => m.getInterface('inference')).toThrow(
    "Module 'inference' not loaded. Load it first: await manager.load('inference')",
  )
  await m.load('inference')
  expect(() => engine.generate('x')).toThrow(ServiceGone)
  expect(m.getInterface<Llm>('inference').generate('x')).toBe('x!')
})

test('loading again with no or the same config does nothing, with another is an error that names the fix', async () => {
  const m = await manager()
  const config = {
    type: 'object',
    properties: { size: { enum: ['small', 'tiny'], default: 'small' }, depth: { type: 'integer', default: 2 } },
  }
  let loads = 0
  m.register({ manifest: { id: 'model', version: '1.0.0', config }, module: defineModule({ load: () => ({ n: ++loads }) }) })
  await m.load('model', { size: 'tiny' })
  expect(m.getModule('model').config).toEqual({ size: 'tiny', depth: 2 })
  expect((await m.load('model')).loaded).toEqual([])
  await m.load('model', { size: 'tiny', depth: 2 })
  expect(loads).toBe(1)
  await expect(m.load('model', { size: 'small' })).rejects.toMatchObject({ code: 'ALREADY_LOADED' })
  await expect(m.load('model', { size: 'small' })).rejects.toThrow(
    "different config (size). Unload it first with unload('model')",
  )
})

test('a wrong config names the key, the range and the fix, and runs no code', async () => {
  const m = await manager()
  const log: string[] = []
  const config = {
    type: 'object',
    required: ['key'],
    properties: { steps: { type: 'integer', minimum: 1, maximum: 150 }, key: { type: 'string' } },
  }
  tracked(m, log, 'a', { config })
  const reason = async (given?: Record<string, unknown>) => (await m.tryLoad('a', given)).reason
  expect(await reason({ key: 'k', steps: 900 })).toBe("Config of module 'a': 'steps' must be between 1 and 150 (got 900)")
  expect(await reason({ key: 'k', stpes: 9 })).toContain("unknown key 'stpes'; did you mean 'steps'?")
  expect(await reason({ key: 'k', steps: 'x' })).toContain("'steps' must be an integer between 1 and 150")
  expect(await reason()).toContain("missing key 'key'; add it")
  expect(log).toEqual([])
  tracked(m, log, 'b')
  expect((await m.tryLoad('b', { x: 1 })).reason).toBe("Module 'b' takes no config (got x). Leave it out.")
})

test('configure asks the module, and says so when it needs a restart', async () => {
  const m = await manager()
  const config = {
    type: 'object',
    properties: { level: { type: 'integer', default: 1 }, port: { type: 'integer', default: 80 } },
  }
  m.register({
    manifest: { id: 'a', version: '1.0.0', config },
    module: defineModule<{ level: number; port: number }>({
      onConfig: (next, previous) => (next.port === previous.port ? 'applied' : 'restart'),
    }),
  })
  await m.load('a')
  await m.configure('a', { level: 5 })
  expect(m.getModule('a').config).toEqual({ level: 5, port: 80 })
  await expect(m.configure('a', { port: 81 })).rejects.toMatchObject({ code: 'CONFIG_NEEDS_RESTART' })
  await expect(m.configure('a', { level: 'x' })).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  expect(m.getModule('a').config).toEqual({ level: 5, port: 80 })
})

test('a module that never answers a new config holds nothing up, and keeps the old one', async () => {
  const m = await manager()
  m.register({
    manifest: {
      id: 'a',
      version: '1.0.0',
      lifecycle: { stopTimeout: '20ms' },
      config: { type: 'object', properties: { level: { type: 'integer', default: 1 } } },
    },
    module: { onConfig: () => new Promise<never>(() => {}), load: (ctx: ModuleContext) => ({ level: () => ctx.config.level }) },
  })
  await m.load('a')
  await expect(m.configure('a', { level: 2 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(m.getInterface<{ level(): number }>('a').level()).toBe(1)
  await m.unload('a')
})

test('a new config may not lead out of the machine where a load may not', async () => {
  const m = await manager()
  const config = { type: 'object', properties: { url: { type: 'string', default: 'http://localhost:1' } } } as const
  m.register({
    manifest: { id: 'a', version: '1.0.0', cloud: { unlessLoopback: 'url' }, config },
    module: { onConfig: () => 'applied' },
  })
  await m.load('a')
  await m.configure('a', { url: 'http://127.0.0.1:2' })
  await expect(m.configure('a', { url: 'https://example.com' })).rejects.toMatchObject({ code: 'CLOUD_REFUSED' })
})

test('a disabled module is refused until it is enabled', async () => {
  const m = await manager()
  core(m)
  await m.load('model')
  await m.disable('model')
  expect(m.getModule('model').state).toBe('disabled')
  expect((await m.tryLoad('inference')).reason).toContain("model: Module 'model' is disabled. Enable it first.")
  await m.enable('model')
  expect((await m.tryLoad('inference')).ok).toBe(true)
})

test('a reservation counts until its module is unloaded', async () => {
  const m = await manager({ hardware: { ramTotal: 8 * gigabyte, ramFree: 8 * gigabyte } })
  tracked(m, [], 'a', { resources: { ram: '5GB' } })
  tracked(m, [], 'b', { resources: { ram: '5GB' } })
  await m.load('a')
  expect(m.ledger).toEqual([{ module: 'a', ram: 5 * gigabyte, vram: 0, used: true }])
  expect((await m.canLoad('b')).reason).toMatch(/^Module requires 5120MB RAM, only 26\d\dMB available/)
  await m.unload('a')
  await m.load('b')
})

test('estimate replaces the figures of the manifest and is refused before load when it does not fit', async () => {
  const m = await manager()
  let loaded = false
  m.register({
    manifest: { id: 'a', version: '1.0.0', resources: { ram: '1GB' } },
    module: { estimate: () => ({ ram: 100 * gigabyte }), load: () => (loaded = true) },
  })
  await expect(m.load('a')).rejects.toMatchObject({ code: 'NO_RAM' })
  expect(loaded).toBe(false)
  expect(m.ledger).toEqual([])
})

test('two managers share no state', async () => {
  const [a, b] = [await manager(), await manager()]
  core(a)
  core(b)
  await a.load('model')
  expect(b.getModule('model').state).toBe('unloaded')
})

test('the seed names of the hardware profile are answered', async () => {
  const gpus = [{ name: 'H200', vramTotal: 80 * gigabyte, vramFree: 70 * gigabyte, api: 'cuda' as const }]
  const m = await manager({ hardware: { gpus, ramTotal: 4 * gigabyte, cpuCores: 3 } })
  expect(m.hardwareProfile).toMatchObject({ gpu_available: true, gpu_name: 'H200', vram_mb: 81_920, ram_mb: 4096, cpu_cores: 3 })
})

test('lists are filtered by category, kind and capability', async () => {
  const m = await manager()
  core(m)
  tracked(m, [], 'x', { category: 'tools' })
  expect(m.listModules({ category: 'tools' }).map(({ id }) => id)).toEqual(['x'])
  expect(m.listModules({ kind: 'service' }).map(({ id }) => id)).toEqual(['inference'])
  expect(m.listModules({ capability: 'Text_Generation' }).map(({ id }) => id)).toEqual(['inference'])
  expect(m.listModules({ capability: 'model', kind: 'plugin' }).map(({ id }) => id)).toEqual(['model'])
  expect(m.listModules({ capability: 'flying' })).toEqual([])
})

test('shutdown takes everything down, dependents first, and refuses further work', async () => {
  const m = await openManager()
  const log = core(m)
  await m.load('inference')
  log.length = 0
  await m.shutdown()
  await m.shutdown()
  expect(log.indexOf('unload inference')).toBeLessThan(log.indexOf('stop model'))
  expect(log.filter((line) => line.startsWith('unload'))).toHaveLength(3)
  await expect(m.load('model')).rejects.toMatchObject({ code: 'MANAGER_CLOSED' })
})

test('calls made at the same time are carried out one after the other', async () => {
  const m = await manager()
  const log = core(m)
  const [a, b] = await Promise.all([m.load('inference'), m.load('inference'), m.unload('inference')])
  expect([a.loaded.length, b.loaded.length]).toEqual([3, 0])
  expect(log.filter((line) => line === 'load inference')).toHaveLength(1)
  expect(m.getModule('inference').state).toBe('unloaded')
})

test('why explains a loaded module and a plan, whyNot a refusal', async () => {
  const m = await manager()
  core(m)
  expect(m.why('inference').text).toBe(
    "'inference' is unloaded; loading it also loads 'model', 'tokenizer'.\n  model: needed by inference\n  tokenizer: needed by inference\n  inference",
  )
  await m.load('inference')
  expect(m.why('model').reason).toBe("'model' is active because 'inference' needs it.")
  expect(m.why('inference').reason).toBe("'inference' is active because it was asked for.")
  tracked(m, [], 'chat-api', { provides: ['text-generation'] })
  expect(m.whyNot('chat-api').text).toContain(
    "'chat-api' cannot be loaded: Capability 'text-generation' already provided by 'inference'",
  )
  expect(m.graph().edges).toContainEqual({ from: 'inference', to: 'model', kind: 'requires', requirement: 'model' })
  expect(m.timeline().entries.map(({ id }) => id)).toEqual(['model', 'tokenizer', 'inference'])
})

test('health is what the module says, and healthy without a say', async () => {
  const m = await manager()
  m.register({ manifest: { id: 'a', version: '1.0.0' }, module: { health: () => ({ status: 'degraded', message: 'slow' }) } })
  m.register({ manifest: { id: 'b', version: '1.0.0' }, module: {} })
  m.register({
    manifest: { id: 'c', version: '1.0.0' },
    module: {
      health: () => {
        throw new Error('broken')
      },
    },
  })
  for (const id of ['a', 'b', 'c']) await m.load(id)
  expect(await m.health()).toEqual({
    a: { status: 'degraded', message: 'slow' },
    b: { status: 'healthy' },
    c: { status: 'unhealthy', message: 'broken' },
  })
})

test('a refusal carries its cause in full, as an answer and as an error', async () => {
  const m = await manager()
  m.register({ manifest: { id: 'a', version: '1.0.0', requires: ['nothing-gives-this'] }, module: {} })
  const answer = await m.canLoad('a')
  expect(answer.because).toEqual([
    { kind: 'goal', module: 'a' },
    { kind: 'requires', module: 'a', what: 'nothing-gives-this' },
  ])
  await expect(m.load('a')).rejects.toMatchObject({ because: answer.because })
})
