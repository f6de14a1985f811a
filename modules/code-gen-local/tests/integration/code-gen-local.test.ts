import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TextGeneration } from '@enigma/contracts'
import { defineModule, ModuleManager } from '@enigma/kernel'
import { createConfig, LlamaForCausalLM, type ModelContent, saveModel, trainBpe } from '@enigma/lm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CodeGenLocal } from '../../types.js'

const modules = join(import.meta.dirname, '../../../..')
const marks = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>']
const greedy = { temperature: 0, maxTokens: 8 }
let root: string

/** A model of random weights, with or without marks for gaps. */
async function saveCoder(name: string, specials: readonly string[]): Promise<void> {
  const texts = ['def add(a, b):\n    return a + b\n'.repeat(20)]
  const { tokenizer } = await trainBpe({ texts, vocabSize: 300, specialTokens: ['<|endoftext|>', ...specials] })
  const { vocabSize, eosId } = tokenizer
  const config = createConfig({ vocabSize, dim: 32, layers: 2, heads: 2, context: 128, bosId: eosId!, eosIds: [eosId!] })
  const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as ModelContent['tensors']
  await saveModel(join(root, name), { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()) })
}

/** An engine that only continues. */
const echo = {
  manifest: { id: 'echo', version: '1.0.0', provides: [{ capability: 'text-generation', version: '1.0' }] },
  module: defineModule({
    load: (ctx) => ctx.provide(TextGeneration, { model: 'echo', complete: async (text: string) => ({ text }) } as TextGeneration),
  }),
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-code-'))
  await saveCoder('coder', marks)
  await saveCoder('plain', [])
})

afterAll(() => rm(root, { recursive: true, force: true }))

async function open(model: string) {
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('model', { model: join(root, model) })
  const { closure } = await manager.load('code-gen-local')
  return { manager, closure, code: manager.getInterface<CodeGenLocal>('code-gen-local') }
}

test('it brings along what generates text, and fills the gap between two texts by the marks of the model', async () => {
  const { manager, closure, code } = await open('coder')
  await using _ = manager
  expect(closure).toEqual(['tokenizer', 'inference'])
  const before = await code.complete('def add(', '', greedy)
  const within = await code.complete('def add(', '):\n    return a + b', greedy)
  // The suffix and the three marks.
  expect(within.promptTokens).toBeGreaterThan(before.promptTokens + marks.length)
  expect(within.text).not.toBe(before.text)
  const stream = code.stream('def add(', '):\n    return a + b', greedy)
  let text = ''
  for await (const piece of stream) text += piece
  expect(text).toBe(within.text)
  expect((await code.complete('def')).tokens).toBeGreaterThan(8)
  // Nothing of it is left under way.
  manager.register(echo)
  expect((await manager.swap('inference', 'echo', undefined, { drainMs: 200 })).drained).toBe(true)
})

test('a model without marks continues, and says by a code that it cannot look ahead', async () => {
  const { manager, code } = await open('plain')
  await using _ = manager
  expect((await code.complete('def add(', undefined, greedy)).tokens).toBe(8)
  await expect(code.complete('def add(', ')', greedy)).rejects.toMatchObject({ code: 'INFILL_UNSUPPORTED' })
})

test('the command completes given code, or a file at the end of a line', async () => {
  const { manager, code } = await open('coder')
  await using _ = manager
  const run = (options: Record<string, unknown>, args: string[] = []) =>
    manager.runCommand('code-gen-local', 'complete', { options: { ...greedy, ...options }, args })
  expect(await run({}, ['def add('])).toBe((await code.complete('def add(', '', greedy)).text)
  const file = join(root, 'a.py')
  await writeFile(file, 'def add(\n    return a\n')
  expect(await run({ file, line: 1 })).toBe((await code.complete('def add(', '\n    return a\n', greedy)).text)
  await expect(run({ file, line: 9 })).rejects.toThrow('--line must be a line of')
  await expect(run({})).rejects.toThrow('Give the code to complete, or --file and --line.')
})

test('an engine that can never fill gaps is told by name', async () => {
  await using manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  manager.register(echo)
  await manager.load('echo')
  await manager.load('code-gen-local')
  const code = manager.getInterface<CodeGenLocal>('code-gen-local')
  expect((await code.complete('a')).text).toBe('a')
  await expect(code.complete('a', 'b')).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining("'echo'") })
})
