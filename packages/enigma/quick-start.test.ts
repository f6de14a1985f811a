import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { type Inference, LmError, ModuleError, ModuleManager, type TrainingService } from './index.js'
import { saveTinyModel, temporaryFolder } from './tiny-model.test.fixture.js'

const environment = process.env.ENIGMA_HOME
let home: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  home = await temporaryFolder()
  process.env.ENIGMA_HOME = home.path
  await saveTinyModel(join(home.path, 'models', 'storyteller'))
})

afterAll(async () => {
  if (environment === undefined) delete process.env.ENIGMA_HOME
  else process.env.ENIGMA_HOME = environment
  await home[Symbol.asyncDispose]()
})

const open = (prefer = {}) => ModuleManager.open({ hardware: { gpus: [] }, prefer })
const short = { maxTokens: 5, temperature: 0 }

test('the Quick Start of the seed documents', async () => {
  await using manager = await open()
  await manager.load('model', { model: 'storyteller' })
  await manager.load('tokenizer')
  await manager.load('inference')
  const engine = manager.getInterface('inference')
  expectTypeOf(engine).toEqualTypeOf<Inference>()
  const response = await engine.generate('Hello!', short)
  expect(response).not.toBe('')
  expect(response.startsWith('Hello!')).toBe(false)
  expect(manager.listLoaded()).toEqual(['model', 'tokenizer', 'inference'])
  for (const id of ['inference', 'tokenizer', 'model']) await manager.unload(id)
  expect(manager.listLoaded()).toEqual([])
})

test('inference alone loads what is missing of its requirements, and says so', async () => {
  await using manager = await open()
  const report = await manager.load('inference')
  expect(report).toMatchObject({ loaded: ['model', 'tokenizer', 'inference'], closure: ['model', 'tokenizer'] })
  expect(manager.listLoaded().map((id) => manager.getModule(id).state)).toEqual(['active', 'active', 'active'])
  expect(manager.getInterface('model').name).toBe('storyteller')
  expect(manager.why('inference').text).toContain('model')
  let text = ''
  for await (const piece of manager.getInterface('inference').stream('Hello!', short)) text += piece
  expect(text).toBe(await manager.getInterface('inference').generate('Hello!', short))
})

test('a size that nobody trained says what to do', async () => {
  await using manager = await open()
  const loading = manager.load('model', { size: 'small' })
  await expect(loading).rejects.toThrow(
    /^No trained 'small' model\. Run enigma train --size small, or pass \{ model: 'storyteller' \}$/,
  )
  await expect(loading).rejects.toBeInstanceOf(ModuleError)
  expect(await manager.tryLoad('model', { size: 'small' })).toMatchObject({ ok: false })
})

test("strict keeps the seed's behaviour: a missing requirement is an error", async () => {
  await using manager = await open()
  await expect(manager.load('inference', {}, { strict: true })).rejects.toThrow(/^Required module '[^']*' not loaded/)
  await manager.load('model')
  await manager.load('tokenizer')
  expect((await manager.load('inference', {}, { strict: true })).closure).toEqual([])
})

describe('a second provider of a capability', () => {
  const echo = {
    manifest: { id: 'echo', version: '1.0.0', provides: [{ capability: 'text-generation', version: '1.0' }] },
    module: { load: () => ({ generate: async (prompt: string) => prompt }) },
  }

  test('is refused by name while the first is active, and while it is only loaded', async () => {
    await using manager = await open()
    manager.register(echo)
    await manager.load('inference')
    expect(manager.getModule('inference').state).toBe('active')
    const sentence = "Capability 'text-generation' already provided by 'inference'. Unload it first."
    await expect(manager.load('echo')).rejects.toThrow(sentence)
    await manager.stop('inference')
    expect(await manager.canLoad('echo')).toMatchObject({ ok: false, reason: expect.stringContaining(sentence) })
    await manager.unload('inference')
    await manager.load('echo')
    await expect(manager.load('inference')).rejects.toThrow("already provided by 'echo'")
  })
})

test('everything is taken down in the reverse of the order in which it came up', async () => {
  const manager = await open()
  await manager.load('inference')
  const seen: string[] = []
  manager.events.on('module.unloaded', ({ id }) => void seen.push(id))
  await expect(manager.unload('model')).rejects.toThrow("Cannot unload 'model': required by 'inference'")
  await manager.shutdown()
  expect(seen).toEqual(['inference', 'tokenizer', 'model'])
})

test('all built-in modules are found, fit together, and none of their code has run', async () => {
  await using manager = await open()
  const ids = manager.listModules().map(({ id, broken, error }) => [id, broken, error])
  expect(ids).toEqual(
    [
      'api-server',
      'chat-api',
      'code-gen-api',
      'code-gen-local',
      'event-bus',
      'garbage-collector',
      'gguf-loader',
      'gui',
      'heartbeat',
      'inference',
      'logger',
      'metrics-collector',
      'model',
      'tokenizer',
      'training',
    ].map((id) => [id, false, undefined]),
  )
  for (const { id } of manager.listModules()) expect((await manager.canLoad(id)).reason).toBe('OK')
})

test('interfaces are typed by id, and errors are of two classes', async () => {
  await using manager = await open()
  await manager.load('training')
  expectTypeOf(manager.getInterface('training')).toEqualTypeOf<TrainingService>()
  const job = manager.getInterface('training').train({ data: [join(home.path, 'no.txt')], out: join(home.path, 'm') })
  await expect(job.done).rejects.toBeInstanceOf(LmError)
})

const shipped = resolve(import.meta.dirname, '../../../models/storyteller')

test('the model that ships answers', async () => {
  await using manager = await open()
  await manager.load('model', { model: shipped })
  await manager.load('inference')
  const { text, tokens } = await manager.getInterface('inference').complete('Once upon a time', { maxTokens: 16, temperature: 0 })
  expect(tokens).toBe(16)
  expect(text).toMatch(/[a-z]{3}/)
})
