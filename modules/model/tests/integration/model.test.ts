import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ModuleManager } from '@enigma/kernel'
import { LanguageModel, lockFolder } from '@enigma/lm'
import { expect, test } from 'vitest'
import { adaptedWeight, saveAdapter, saveTinyModel, temporaryFolder } from '../tiny-model.test.fixture.js'

const MB = 1e6
const module = join(import.meta.dirname, '../../..')
const open = (ramFree = 1000 * MB) =>
  ModuleManager.open({ modules: [module], hardware: { gpus: [], ramTotal: 1000 * MB, ramFree } })

interface Loaded {
  readonly name: string
  readonly parameters: number
  readonly contextLength: number
  readonly handle: unknown
}

test('a loaded model says what it is, and the events say that it came and went', async () => {
  await using root = await temporaryFolder()
  const folder = join(root.path, 'owl')
  await saveTinyModel(folder)
  await using manager = await open()
  await manager.load('model', { model: folder })
  const model = manager.getInterface<Loaded>('model')
  expect(model.handle).toBeInstanceOf(LanguageModel)
  expect(model).toMatchObject({ name: 'owl', contextLength: 64 })
  expect(await manager.runCommand('model', 'status')).toMatchObject({ name: 'owl', folder, parameters: model.parameters })
  expect(manager.getModule('model').usage.reported).toEqual({ ram: 4 * model.parameters })
  await manager.unload('model')
  expect(() => model.name).toThrow(/unloaded/)
  expect(manager.events.recent('model.*').map((event) => event.name)).toEqual(['model.loaded', 'model.unloaded'])
})

test('a size that nobody trained is refused with what to do, not replaced', async () => {
  await using root = await temporaryFolder()
  const before = process.env.ENIGMA_HOME
  process.env.ENIGMA_HOME = root.path
  try {
    await using manager = await open()
    await expect(manager.load('model', { size: 'xl' })).rejects.toThrow(
      /^No trained 'xl' model\. Run enigma train --size xl, or pass \{ model: 'storyteller' \}$/,
    )
    await expect(manager.load('model', { size: 'enormous' })).rejects.toMatchObject({ code: 'BAD_CONFIG' })
    await expect(manager.load('model', { sise: 'xl' })).rejects.toThrow(/size/)
  } finally {
    if (before === undefined) delete process.env.ENIGMA_HOME
    else process.env.ENIGMA_HOME = before
  }
})

test('a model that does not fit is refused with the numbers before its weights are read', async () => {
  await using root = await temporaryFolder()
  await saveTinyModel(root.path, { dim: 256, layers: 4, heads: 4 })
  await using manager = await open(12 * MB)
  await expect(manager.load('model', { model: root.path })).rejects.toThrow(/requires \d+MB RAM, only \d+MB available/)
  expect(manager.ledger).toEqual([])
})

test('a model that is being trained is refused, naming who trains it', async () => {
  await using root = await temporaryFolder()
  await saveTinyModel(root.path)
  await using manager = await open()
  await using lock = await lockFolder(root.path, 'training')
  await expect(manager.load('model', { model: root.path })).rejects.toThrow(`in use for training by process ${process.pid}`)
  await lock.release()
  await manager.load('model', { model: root.path })
})

test("the folder of an adapter loads as its model with the adapter added, under the adapter's name", async () => {
  await using root = await temporaryFolder()
  const base = join(root.path, 'owl')
  await saveTinyModel(base)
  const folder = join(root.path, 'wise-owl')
  await saveAdapter(folder, base)
  await using manager = await open()
  await manager.load('model', { model: folder })
  const { name, contextLength, handle } = manager.getInterface<Loaded>('model')
  expect({ name, contextLength }).toEqual({ name: 'wise-owl', contextLength: 64 })
  const [plain, adapted] = [(await LanguageModel.load(base)).weights, (handle as LanguageModel).weights]
  const changed = Object.keys(plain).filter((key) => plain[key]!.data.some((value, i) => value !== adapted[key]!.data[i]))
  expect(changed).toEqual([adaptedWeight])
  expect(adapted[adaptedWeight]!.data[0]).toBeCloseTo(Number(plain[adaptedWeight]!.data[0]) + 2, 5)
})

test('a flipped bit in the weights is an error that names the file', async () => {
  await using root = await temporaryFolder()
  await saveTinyModel(root.path)
  const file = join(root.path, 'model.safetensors')
  const bytes = await readFile(file)
  bytes[bytes.length - 5]! ^= 1
  await writeFile(file, bytes)
  await using manager = await open()
  await expect(manager.load('model', { model: root.path })).rejects.toThrow(/model\.safetensors/)
  expect(manager.getModule('model').state).toBe('error')
})
