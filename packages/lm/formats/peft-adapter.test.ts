import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FloatTensor, openTensors, readTensors } from '@enigma/tensor/formats'
import { expect, it } from 'vitest'
import { TemporaryFolder } from '../data/data.test.support.js'
import { Decoder } from '../generation/decoder.js'
import { LanguageModel } from '../language-model.js'
import { loraConfig } from '../model/lora.js'
import { distance, loadFamily } from './golden.test.support.js'
import { describedIn, readAdapter, saveAdapter } from './peft-adapter.js'

const tensor = (shape: readonly [number, number], ...data: number[]): FloatTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(data),
})
const module = 'model.layers.0.self_attn.q_proj'
const tensors = {
  [`${module}.lora_A.weight`]: tensor([1, 3], 1, 2, 3),
  [`${module}.lora_B.weight`]: tensor([2, 1], 10, 20),
}
const config = loraConfig({ rank: 1, alpha: 2, targets: ['q_proj'] })

it('is written as PEFT has it, and added as W + α/r·B·A', async () => {
  using folder = new TemporaryFolder()
  await saveAdapter(folder.path, { config, base: '/models/base', tensors })
  expect(JSON.parse(await readFile(folder.at('adapter_config.json'), 'utf8'))).toMatchObject({
    peft_type: 'LORA',
    base_model_name_or_path: '/models/base',
    r: 1,
    lora_alpha: 2,
    target_modules: ['q_proj'],
  })
  await using file = await openTensors(folder.at('adapter_model.safetensors'))
  expect([...file.tensors.keys()]).toEqual([
    `base_model.model.${module}.lora_A.weight`,
    `base_model.model.${module}.lora_B.weight`,
  ])
  const adapter = await readAdapter(folder.path)
  expect(adapter.base).toBe('/models/base')
  const weights = { [`${module}.weight`]: tensor([2, 3], 1, 1, 1, 0, 0, 0), other: tensor([1, 1], 5) }
  const added = adapter.addTo(weights)
  expect([...added[`${module}.weight`]!.data]).toEqual([21, 41, 61, 40, 80, 120])
  expect([...weights[`${module}.weight`]!.data]).toEqual([1, 1, 1, 0, 0, 0])
  expect(added.other).toBe(weights.other)
})

it.each([
  ['another method', { peft_type: 'LOHA' }, 'UNSUPPORTED_MODEL', /peft_type "LOHA"/],
  ['biases', { bias: 'all' }, 'UNSUPPORTED_MODEL', /bias "all"/],
  ['another scale', { use_rslora: true }, 'UNSUPPORTED_MODEL', /use_rslora true/],
  ['no base', { base_model_name_or_path: null }, 'INVALID_CONFIG', /base_model_name_or_path/],
  ['a rank of nothing', { r: 0 }, 'INVALID_CONFIG', /r must be positive/],
  ['a rank that is no number', { r: 'eight' }, 'INVALID_CONFIG', /r must be a number/],
])('with %s is refused', async (_, change, code, message) => {
  using folder = new TemporaryFolder()
  await saveAdapter(folder.path, { config, base: 'base', tensors })
  const path = folder.at('adapter_config.json')
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }))
  await expect(readAdapter(folder.path)).rejects.toMatchObject({ code, message })
})

it('that leads back to itself over others is refused when the model is loaded or looked at', async () => {
  using one = new TemporaryFolder()
  using other = new TemporaryFolder()
  await saveAdapter(one.path, { config, base: other.path, tensors })
  await saveAdapter(other.path, { config, base: one.path, tensors })
  for (const looking of [describedIn(one.path), LanguageModel.load(one.path)])
    await expect(looking).rejects.toThrow(/lead back to it/)
})

it('that does not fit the model names the module and the shapes', async () => {
  using folder = new TemporaryFolder()
  await saveAdapter(folder.path, { config, base: 'base', tensors })
  const adapter = await readAdapter(folder.path)
  expect(() => adapter.addTo({ [`${module}.weight`]: tensor([2, 2], 1, 1, 1, 1) })).toThrow(/lora_A \[1, 3\].*q_proj \[2, 2\]/)
  expect(() => adapter.addTo({})).toThrow(expect.objectContaining({ code: 'TENSOR_MISSING' }))
})

it("of PEFT's own gives the logits that PEFT computes within 1e-4, and stays the same when it is written again", async () => {
  const golden = await loadFamily('llama')
  const folder = fileURLToPath(new URL('../../golden/peft', import.meta.url))
  const logits = JSON.parse(await readFile(join(folder, 'logits.json'), 'utf8')) as number[][]
  const adapter = await readAdapter(folder)
  const decoder = await Decoder.create(golden.config, adapter.addTo(golden.weights), { threads: 1, spin: false })
  using sequence = decoder.start()
  for (const [index, position] of golden.positions.entries()) {
    const decoded = await decoder.feed(sequence, golden.tokens.slice(sequence.length, position + 1))
    expect(distance(decoded, logits[index]!)).toBeLessThan(1e-4)
  }
  decoder.release()

  await using reader = await openTensors(join(folder, 'adapter_model.safetensors'))
  const theirs = await readTensors(reader)
  const own = Object.fromEntries(Object.entries(theirs).map(([name, tensor]) => [name.replace('base_model.model.', ''), tensor]))
  using again = new TemporaryFolder()
  const settings = loraConfig({ rank: 2, alpha: 6, targets: ['q_proj', 'v_proj', 'down_proj'] })
  await saveAdapter(again.path, { config: settings, base: 'llama', tensors: own })
  expect((await readAdapter(again.path)).addTo(golden.weights)).toEqual(adapter.addTo(golden.weights))
})
