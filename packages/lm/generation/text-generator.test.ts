import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as afterEvents } from 'node:timers/promises'
import type { FloatTensor } from '@enigma/tensor/formats'
import { beforeAll, describe, expect, it } from 'vitest'
import { saveModel } from '../checkpoint/index.js'
import { createConfig, type ModelConfig } from '../config.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { parameterSpecs } from '../parameters.js'
import { presetConfig } from '../presets.js'
import { sampleText } from '../testing/sample-text.js'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'
import { Decoder } from './decoder.js'
import { TextGenerator } from './text-generator.js'

const options = { spin: false, threads: 2 }
let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = (await trainBpe({ texts: [sampleText(200)], vocabSize: 300 })).tokenizer
})

function tinyConfig(shape: Partial<ModelConfig> = {}): ModelConfig {
  return createConfig({ vocabSize: tokenizer.vocabSize, dim: 32, layers: 2, heads: 2, context: 64, ...shape })
}
const weightsOf = (config: ModelConfig) => new LlamaForCausalLM(config, { seed: 1 }).stateDict() as Record<string, FloatTensor>

it('never chooses a token that the tokenizer does not have', async () => {
  const config = tinyConfig({ vocabSize: tokenizer.vocabSize + 40 })
  const weights = weightsOf(config)
  // The rows beyond the tokenizer's shout.
  const table = weights['model.embed_tokens.weight']!.data
  for (let i = tokenizer.vocabSize * config.dim; i < table.length; i++) table[i]! *= 1000
  const generator = await TextGenerator.create(LanguageModel.inMemory('padded', config, weights, tokenizer), options)
  expect((await generator.complete('The', { temperature: 0, maxTokens: 20 })).tokens).toBe(20)
  expect((await generator.complete('The', { temperature: 2, topK: 0, topP: 1, maxTokens: 20, seed: 1 })).tokens).toBe(20)
  generator.close()
})

it('does not see tensors that the model has no place for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'enigma-extra-'))
  try {
    const config = tinyConfig()
    const weights = weightsOf(config)
    const tensors = {
      ...weights,
      'lm_head.weight': weights['model.embed_tokens.weight']!,
      'model.layers.0.self_attn.rotary_emb.inv_freq': { dtype: 'f32', shape: [8], data: new Float32Array(8) } as const,
    }
    await saveModel(folder, { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()) })
    const model = await LanguageModel.load(folder)
    expect(Object.keys(model.weights).sort()).toEqual(
      parameterSpecs(config)
        .map(({ name }) => name)
        .sort(),
    )
    const generator = await TextGenerator.create(model, options)
    const greedy = { temperature: 0, maxTokens: 5 }
    const cached = await generator.complete('The', greedy)
    expect((await generator.complete('The', { ...greedy, cache: false })).text).toBe(cached.text)
    generator.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('a conversation always leaves room for an answer, however long its last message is', async () => {
  const config = tinyConfig()
  const generator = await TextGenerator.create(LanguageModel.inMemory('tiny', config, weightsOf(config), tokenizer), options)
  const { prompt, dropped, trimmed } = generator.chatPrompt([
    { role: 'user', content: 'Hello.' },
    { role: 'user', content: sampleText(300) },
  ])
  expect({ dropped, trimmed }).toEqual({ dropped: 1, trimmed: true })
  expect(tokenizer.encode(prompt as string).length).toBeGreaterThan(24)
  expect((await generator.complete(prompt, { temperature: 0 })).finishReason).toBe('length')
  generator.close()
})

describe('a long prompt', () => {
  const long = () => tinyConfig({ dim: 128, layers: 4, context: 2048 })

  it('can be aborted while it is read, before the first token', async () => {
    const config = long()
    const generator = await TextGenerator.create(LanguageModel.inMemory('long', config, weightsOf(config), tokenizer), options)
    const controller = new AbortController()
    const prompt = tokenizer.decode(tokenizer.encode(sampleText(2000)).slice(0, 1900))
    const result = generator.complete(prompt, { signal: controller.signal })
    await afterEvents()
    controller.abort()
    expect(await result).toMatchObject({ finishReason: 'abort', tokens: 0, text: '' })
    generator.close()
  })

  it('ends within 50 ms of its cancellation, however slow the model', async () => {
    const config = tinyConfig({ dim: 256, layers: 6, context: 2048 })
    const generator = await TextGenerator.create(LanguageModel.inMemory('slow', config, weightsOf(config), tokenizer), options)
    const prompt = tokenizer.encode(sampleText(2000)).slice(0, 1900)
    const begun = performance.now()
    await generator.complete(prompt, { maxTokens: 1 })
    const whole = performance.now() - begun
    expect(whole).toBeGreaterThan(100)
    // Other processes may take the core away in the very moment: the best of some tries.
    let best = Number.POSITIVE_INFINITY
    for (let attempt = 0; attempt < 6 && best >= 50; attempt++) {
      const signal = AbortSignal.timeout(Math.round(whole / 3))
      let cancelled = 0
      signal.addEventListener('abort', () => (cancelled = performance.now()))
      // Another prompt each time: what was read once need not be read again.
      expect(await generator.complete(prompt.slice(attempt + 1), { signal })).toMatchObject({ finishReason: 'abort', tokens: 0 })
      best = Math.min(best, performance.now() - cancelled)
    }
    expect(best).toBeLessThan(50)
    generator.close()
  })

  it('that was aborted leaves its sequence as it was', async () => {
    const config = long()
    const decoder = await Decoder.create(config, weightsOf(config), options)
    using fresh = decoder.start()
    await decoder.feed(fresh, [1, 2, 3])
    const expected = Float32Array.from(await decoder.feed(fresh, [4, 5]))
    using sequence = decoder.start()
    await decoder.feed(sequence, [1, 2, 3])
    const controller = new AbortController()
    const run = decoder.feed(sequence, new Array(1900).fill(7), controller.signal)
    await afterEvents()
    controller.abort()
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
    expect(Float32Array.from(await decoder.feed(sequence, [4, 5]))).toEqual(expected)
    decoder.release()
  })
})

it('refuses models that the native kernels cannot decode, by what is wrong with them', async () => {
  await expect(Decoder.create(tinyConfig({ heads: 4 }), {})).rejects.toMatchObject({
    code: 'UNSUPPORTED_MODEL',
    message: expect.stringContaining('head_dim is 8; decoding needs a multiple of 16'),
  })
  await expect(Decoder.create(presetConfig('xl', 8000), {})).rejects.toMatchObject({
    code: 'UNSUPPORTED_MODEL',
    message: expect.stringContaining('models over 2 GiB are not served yet'),
  })
})
