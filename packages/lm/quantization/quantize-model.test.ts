import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findModels } from '../checkpoint/find-models.js'
import { openModelFolder, saveModel } from '../checkpoint/index.js'
import { createConfig } from '../config.js'
import { evaluate } from '../evaluation/evaluate.js'
import { exportModel } from '../formats/export-model.js'
import { importModel } from '../formats/import-model.js'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { sampleText } from '../testing/sample-text.js'
import { trainBpe } from '../tokenizer/index.js'
import { train } from '../training/train.js'
import { quantizeModel } from './quantize-model.js'

let place: string
let source: string
const at = (name: string) => join(place, name)

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'enigma-quantize-'))
  source = at('hare')
  const { tokenizer } = await trainBpe({ texts: [sampleText(200)], vocabSize: 300 })
  const config = createConfig({ vocabSize: 300, dim: 64, layers: 2, heads: 2, kvHeads: 1, context: 64, eosIds: [0] })
  const network = new LlamaForCausalLM(config, { seed: 1 })
  for (const [name, { data }] of network.namedParameters())
    if (!name.includes('norm')) for (let i = 0; i < data.length; i++) data[i]! *= 8
  const tensors = network.stateDict() as Parameters<typeof saveModel>[1]['tensors']
  await saveModel(source, { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()), card: '# Hare\n' })
  await quantizeModel(source, at('hare-int4'), { quantization: 'int4' })
})
afterAll(() => rm(place, { recursive: true }))

async function answer(model: LanguageModel, options = {}): Promise<string> {
  const generator = await TextGenerator.create(model, { threads: 1, ...options })
  const { text } = await generator.complete('the hare', { maxTokens: 12, temperature: 0 })
  generator.close()
  return text
}

describe.each([
  ['int8', 32, 1.125],
  ['int4', 32, 0.6],
  ['int4', 64, 0.56],
] as const)('a folder in %s with groups of %i', (quantization, groupSize, bytesPerWeight) => {
  it('is small, says how it is stored, and answers as the model does when it is rounded in memory', async () => {
    const folder = at(`hare-${quantization}-${groupSize}`)
    const written = await quantizeModel(source, folder, { quantization, groupSize })
    expect(written).toMatchObject({ folder, quantization, groupSize })
    const { size } = await stat(join(folder, 'model.safetensors'))
    // The embedding has 8 bits, and it is a third of this model; the header is large for so small a file.
    expect(size).toBeLessThan(bytesPerWeight * written.parameters + 0.45 * written.parameters + 8000)
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))
    expect(config.quantization_config).toEqual({
      ...{ quant_method: 'enigma', bits: quantization === 'int8' ? 8 : 4, group_size: groupSize, embedding_bits: 8, sym: true },
    })
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('# Hare\n')

    const rounded = await LanguageModel.load(source, { quantization, groupSize })
    const loaded = await LanguageModel.load(folder)
    expect(loaded.stored).toEqual(rounded.stored)
    expect(await answer(loaded)).toBe(await answer(await LanguageModel.load(source), { quantization, groupSize }))
  })
})

describe('a quantized folder', () => {
  it('is listed with its true size, is imported, and exported as the numbers that it stands for', async () => {
    const [found] = await findModels([at('hare-int4')])
    const { parameters } = await LanguageModel.load(source)
    expect(found).toMatchObject({ status: 'ok', dtype: 'int4', parameters })

    const imported = await importModel(at('hare-int4'), at('imported'))
    expect(await answer(await LanguageModel.load(imported.folder))).toBe(await answer(await LanguageModel.load(at('hare-int4'))))

    const { type } = await exportModel(at('hare-int4'), at('hare.gguf'), { format: 'gguf' })
    expect(type).toBe('f32')
    const again = await importModel(at('hare.gguf'), at('restored'))
    await using numbers = await openModelFolder(again.folder)
    await using codes = await openModelFolder(at('hare-int4'))
    const name = 'model.layers.1.mlp.down_proj.weight'
    expect(await numbers.tensors.read(name)).toEqual(await codes.tensors.read(name))
  })

  it('predicts text about as well as the model, by the kernels that answer', async () => {
    await writeFile(at('text.txt'), sampleText(60))
    const options = { data: [at('text.txt')], batch: 2, threads: 1 }
    const exact = await evaluate(source, options)
    const rounded = await evaluate(at('hare-int4'), options)
    expect(rounded).toEqual(await evaluate(source, { ...options, quantization: 'int4' }))
    expect([rounded.tokens, rounded.bytes]).toEqual([exact.tokens, exact.bytes])
    expect(Math.abs(rounded.loss - exact.loss)).toBeLessThan(0.1 * exact.loss)
    expect(rounded.loss).not.toBe(exact.loss)
    const fine = await evaluate(source, { ...options, quantization: 'int8' })
    expect(Math.abs(fine.loss - exact.loss)).toBeLessThan(0.01 * exact.loss)
  })

  it('is no beginning for training, and is not quantized again', async () => {
    const quantized = expect.objectContaining({
      code: 'QUANTIZED_MODEL',
      message: expect.stringMatching(/'hare-int4' is quantized/),
    })
    await expect(train({ data: [at('text.txt')], out: at('tuned'), from: at('hare-int4'), threads: 1 })).rejects.toEqual(
      quantized,
    )
    await expect(quantizeModel(at('hare-int4'), at('twice'), { quantization: 'int4' })).rejects.toEqual(quantized)
    expect(await readdir(place)).not.toContain('twice')
  })

  it('is refused where it is damaged or not ours, by what is wrong', async () => {
    const folder = at('broken')
    await quantizeModel(source, folder, { quantization: 'int4' })
    await rm(join(folder, 'enigma.json'))
    const path = join(folder, 'config.json')
    const config = JSON.parse(await readFile(path, 'utf8'))
    const withConfig = async (change: object) => {
      await writeFile(path, JSON.stringify({ ...config, quantization_config: { ...config.quantization_config, ...change } }))
      return LanguageModel.load(folder)
    }
    const refusal = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) })
    await expect(withConfig({ quant_method: 'gptq' })).rejects.toMatchObject(
      refusal('UNSUPPORTED_MODEL', /quantization_config\.quant_method "gptq" is not supported/),
    )
    await expect(withConfig({ bits: 3 })).rejects.toMatchObject(refusal('UNSUPPORTED_MODEL', /quantization_config\.bits 3/))
    await expect(withConfig({ group_size: 33 })).rejects.toMatchObject(refusal('UNSUPPORTED_MODEL', /group_size 33/))
    await expect(withConfig({ bits: 8 })).rejects.toMatchObject(
      refusal(
        'SHAPE_MISMATCH',
        /"model\.layers\.0\.self_attn\.q_proj\.weight\.codes" .* is U8 \[64, 2, 16\], .* calls for U8 \[64, 2, 32\]/,
      ),
    )
    const { quantization_config: _, ...plain } = config
    await writeFile(path, JSON.stringify(plain))
    await expect(LanguageModel.load(folder)).rejects.toMatchObject(
      refusal('TENSOR_MISSING', /lacks "model\.embed_tokens\.weight"/),
    )
  })

  it('replaces no model unasked, nor itself', async () => {
    await expect(quantizeModel(source, at('hare-int4'), { quantization: 'int8' })).rejects.toMatchObject({ code: 'MODEL_EXISTS' })
    await expect(quantizeModel(source, source, { quantization: 'int8', force: true })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  })
})
