import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LanguageModel, type LanguageModelService } from '@enigma/contracts'
import { defineModule, type ModuleDefinition, ModuleManager } from '@enigma/kernel'
import { createConfig, LlamaForCausalLM, LanguageModel as LoadedModel, type Tokenizer, trainBpe } from '@enigma/lm'
import { expect, test } from 'vitest'
import type { TokenizerService } from '../../types.js'

const folder = join(import.meta.dirname, '../../..')
const open = () => ModuleManager.open({ modules: [folder], hardware: { gpus: [] } })

const learn = async (text: string, vocabSize: number) => (await trainBpe({ texts: [text.repeat(20)], vocabSize })).tokenizer

/** A module that provides a model with this tokenizer. */
function modelModule(name: string, tokenizer: Tokenizer): ModuleDefinition {
  const config = createConfig({ vocabSize: tokenizer.vocabSize, dim: 8, layers: 1, heads: 1, context: 8 })
  const handle = LoadedModel.inMemory(name, config, new LlamaForCausalLM(config).stateDict(), tokenizer)
  return defineModule({ load: (ctx) => ctx.provide(LanguageModel, { name, handle } as unknown as LanguageModelService) })
}

const manifest = (id: string) => ({ id, version: '1.0.0', provides: [{ capability: 'language-model', version: '1.0' }] })

test("it speaks the loaded model's vocabulary, and follows when another model takes its place", async () => {
  const [hares, tortoises] = [await learn('the hare ', 270), await learn('a tortoise ', 280)]
  await using manager = await open()
  manager.register({ manifest: manifest('hare-model'), module: modelModule('hare', hares) })
  manager.register({ manifest: manifest('tortoise-model'), module: modelModule('tortoise', tortoises) })
  await manager.load('hare-model')
  await manager.load('tokenizer')
  const tokenizer = manager.getInterface<TokenizerService>('tokenizer')
  expect([tokenizer.source, tokenizer.vocabSize]).toEqual(['model hare', hares.vocabSize])
  expect(tokenizer.encode('the hare')).toEqual(hares.encode('the hare'))
  expect([tokenizer.bosId, tokenizer.eosId]).toEqual([hares.bosId, hares.eosId])
  await manager.unload('hare-model')
  await manager.load('tortoise-model')
  expect([tokenizer.source, tokenizer.vocabSize]).toEqual(['model tortoise', tortoises.vocabSize])
  expect(tokenizer.decode(tokenizer.encode('the tortoise ✓'))).toBe('the tortoise ✓')
})

test('without a model it loads, is degraded, and its use says what to do', async () => {
  await using manager = await open()
  await manager.load('tokenizer')
  expect((await manager.health()).tokenizer).toMatchObject({ status: 'degraded' })
  expect(await manager.runCommand('tokenizer', 'status')).toEqual({ source: null, vocabSize: null })
  const tokenizer = manager.getInterface<TokenizerService>('tokenizer')
  expect(() => tokenizer.encode('hello')).toThrow(/no model with one is loaded. Load a model: load\('model'\)/)
})

test('a file is used as it is, whatever model is loaded', async () => {
  const place = await mkdtemp(join(tmpdir(), 'enigma-tokenizer-'))
  try {
    const tokenizer = await learn('the hare ', 270)
    await tokenizer.save(join(place, 'tokenizer.json'))
    await using manager = await open()
    await manager.load('tokenizer', { file: place })
    expect(await manager.runCommand('tokenizer', 'status')).toMatchObject({ source: place, vocabSize: tokenizer.vocabSize })
    expect((await manager.health()).tokenizer).toEqual({ status: 'healthy' })
    await manager.unload('tokenizer')
    await expect(manager.load('tokenizer', { file: join(place, 'nothing') })).rejects.toThrow(/No tokenizer at .*nothing/)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
})
