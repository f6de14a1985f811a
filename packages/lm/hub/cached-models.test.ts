import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FloatTensor } from '@enigma/tensor/formats'
import { expect, it } from 'vitest'
import { saveModel } from '../checkpoint/index.js'
import { createConfig } from '../config.js'
import { smallTokenizer, TemporaryFolder } from '../data/data.test.support.js'
import { importModel } from '../formats/import-model.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { TestHub } from '../testing/test-hub.js'
import { cachedFolder, findCachedModels } from './cached-models.js'
import { hubSettings } from './hub-settings.js'
import { pullModel } from './pull-model.js'

/** A hub with a small model and a GGUF file; what is pulled lies in `folder`. */
async function hubWithModel(folder: TemporaryFolder) {
  const tokenizer = await smallTokenizer()
  const config = createConfig({ vocabSize: tokenizer.vocabSize, dim: 32, layers: 1, heads: 2, context: 64 })
  const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as Record<string, FloatTensor>
  await saveModel(folder.at('teller'), { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()) })
  const names = ['config.json', 'tokenizer.json', 'model.safetensors']
  const files = await Promise.all(names.map(async (name) => [name, await readFile(folder.at(join('teller', name)))] as const))
  const hub = await TestHub.start({ ...Object.fromEntries(files), 'teller.gguf': 'GGUF' })
  const settings = { ...hubSettings({ HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: folder.at('cache') }), retryDelay: 1 }
  return { hub, settings }
}

it("what was pulled is found by the model's name, its branch or its commit, and loads under that name", async () => {
  using folder = new TemporaryFolder()
  const { hub, settings } = await hubWithModel(folder)
  await using _hub = hub
  await expect(cachedFolder('tiny/teller', settings)).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    message: /Pull it: enigma models pull tiny\/teller$/,
  })
  const pulled = await pullModel('tiny/teller', { settings })
  for (const name of ['tiny/teller', 'tiny/teller@main', `tiny/teller@${hub.commit}`, `tiny/teller@${hub.commit.slice(0, 7)}`])
    expect(await cachedFolder(name, settings)).toBe(pulled.folder)
  for (const name of ['tiny/teller@v2', `tiny/teller@${hub.commit.slice(0, 6)}`, 'tiny/tailor'])
    await expect(cachedFolder(name, settings)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  expect(await cachedFolder('./teller', settings)).toBeUndefined()
  expect((await LanguageModel.load(pulled.folder)).name).toBe('tiny/teller')

  const imported = await importModel(pulled.folder, folder.at('mine'))
  expect(imported.parameters).toBeGreaterThan(10_000)
  expect(await readFile(folder.at('mine/enigma.json'), 'utf8')).toContain(`imported from tiny/teller@${hub.commit}`)
})

it('the list names models and GGUF files with their revisions, and leaves out what other programs keep', async () => {
  using folder = new TemporaryFolder()
  const { hub, settings } = await hubWithModel(folder)
  await using _hub = hub
  expect(await findCachedModels(settings)).toEqual([])
  await pullModel('tiny/teller', { settings })
  await pullModel(`tiny/teller@${hub.commit}`, { settings, files: ['teller.gguf'] })
  const other = `cache/models--bert-base/snapshots/${'a'.repeat(40)}`
  folder.write(`${other}/config.json`, '{"model_type":"bert"}')
  folder.write('cache/datasets--tiny--tales/refs/main', hub.commit)
  const base = { name: 'tiny/teller', commit: hub.commit, refs: ['main'] }
  expect(await findCachedModels(settings)).toEqual([
    expect.objectContaining({ ...base, status: 'ok', dtype: 'F32' }),
    expect.objectContaining({ ...base, status: 'gguf', bytes: 4, file: expect.stringMatching(/teller\.gguf$/) }),
  ])
})

it('with HF_HUB_OFFLINE nothing is asked: what was pulled whole is given, the rest refused with what to do', async () => {
  using folder = new TemporaryFolder()
  const { hub, settings } = await hubWithModel(folder)
  await using _hub = hub
  const offline = { ...settings, ...hubSettings({ HF_HUB_OFFLINE: '1', HF_HUB_CACHE: settings.cache }) }
  await expect(pullModel('tiny/teller', { settings: offline })).rejects.toMatchObject({
    code: 'HUB_OFFLINE',
    message: /HF_HUB_OFFLINE forbids to fetch it: unset it and run enigma models pull tiny\/teller$/,
  })
  await expect(cachedFolder('tiny/teller', offline)).rejects.toMatchObject({ code: 'HUB_OFFLINE' })
  const { folder: snapshot } = await pullModel('tiny/teller', { settings })
  const asked = hub.seen.length
  const pulled = await pullModel('tiny/teller', { settings: offline })
  expect(pulled).toMatchObject({ revision: hub.commit, downloaded: 0, folder: snapshot })
  expect(pulled.files.map(({ path }) => path).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json'])
  await expect(pullModel('tiny/teller', { settings: offline, files: ['teller.gguf'] })).rejects.toThrow(/^teller\.gguf of tiny/)
  rmSync(join(snapshot, 'model.safetensors'))
  await expect(pullModel('tiny/teller', { settings: offline })).rejects.toMatchObject({
    code: 'HUB_OFFLINE',
    message: /^all of it of/,
  })
  expect(hub.seen).toHaveLength(asked)
})

it.each([
  [{}, { endpoint: 'https://huggingface.co', offline: false }],
  [{ HF_HOME: '/h' }, { cache: join('/h', 'hub') }],
  [{ HF_HOME: '/h', HF_HUB_CACHE: '/c' }, { cache: '/c' }],
  [{ XDG_CACHE_HOME: '/x' }, { cache: join('/x', 'huggingface', 'hub') }],
  [{ HF_ENDPOINT: 'https://mirror.example/' }, { endpoint: 'https://mirror.example' }],
  [{ HF_TOKEN: ' hf_x\n' }, { token: 'hf_x' }],
  [{ HF_HUB_OFFLINE: 'true' }, { offline: true }],
  [{ HF_HUB_OFFLINE: '0' }, { offline: false }],
])('the environment %o means %o', (env, settings) => {
  expect(hubSettings(env)).toMatchObject(settings)
})
