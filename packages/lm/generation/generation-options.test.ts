import { beforeAll, describe, expect, it } from 'vitest'
import { createConfig } from '../config.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { sampleText } from '../testing/sample-text.js'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'
import { fitPrompt } from './generation-options.js'
import { TextGenerator } from './text-generator.js'

let tokenizer: Tokenizer
let generator: TextGenerator
beforeAll(async () => {
  tokenizer = (await trainBpe({ texts: [sampleText(200)], vocabSize: 300 })).tokenizer
  const config = createConfig({ vocabSize: tokenizer.vocabSize, dim: 32, layers: 2, heads: 2, context: 64, bosId: 0 })
  const weights = new LlamaForCausalLM(config, { seed: 1 }).stateDict()
  generator = await TextGenerator.create(LanguageModel.inMemory('tiny', config, weights, tokenizer), { spin: false, threads: 1 })
  return () => generator.close()
})
const greedy = { temperature: 0, maxTokens: 6 }
/** A text of exactly this many tokens. */
const textOf = (tokens: number) => {
  for (let words = 1; ; words++) {
    const text = 'a'.repeat(words)
    if (tokenizer.encode(text).length === tokens) return text
  }
}

describe('a prompt longer than the context', () => {
  it('is an error with both lengths and the way out', async () => {
    await expect(generator.complete(textOf(80))).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      message: "The prompt has 81 tokens; the model's context is 64. Shorten the prompt, or allow it with truncate: 'oldest'.",
    })
  })

  it('loses its beginning where that is allowed, and the result says how much', async () => {
    const { promptTokens, droppedTokens, finishReason, tokens } = await generator.complete(textOf(80), {
      ...greedy,
      truncate: 'oldest',
    })
    expect({ promptTokens, droppedTokens, finishReason, tokens }).toEqual({
      promptTokens: 58,
      droppedTokens: 23,
      finishReason: 'length',
      tokens: 6,
    })
    expect((await generator.complete(textOf(20), { ...greedy, truncate: 'oldest' })).droppedTokens).toBe(0)
  })

  it('keeps the start token and the end, or the beginning and the end', () => {
    const prompt = Array.from({ length: 30 }, (_, index) => index + 1)
    expect(fitPrompt(prompt, 0, 16, { truncate: 'oldest', maxTokens: 8 })).toEqual({
      tokens: [0, 24, 25, 26, 27, 28, 29, 30],
      dropped: 23,
    })
    expect(fitPrompt(prompt, 0, 16, { truncate: 'middle', maxTokens: 8 })).toEqual({
      tokens: [0, 1, 2, 3, 27, 28, 29, 30],
      dropped: 23,
    })
    expect(fitPrompt(prompt, null, 16, { truncate: 'oldest', maxTokens: 900 }).tokens).toHaveLength(8)
    expect(fitPrompt(prompt.slice(0, 15), null, 16, {})).toEqual({ tokens: prompt.slice(0, 15), dropped: 0 })
  })
})

it('log probabilities come for every token, with alternatives where asked for', async () => {
  const { logprobs, tokens, text } = await generator.complete('The', { ...greedy, topLogprobs: 3, repetitionPenalty: 1 })
  expect(logprobs!.content).toHaveLength(tokens)
  expect(Buffer.from(logprobs!.content.flatMap(({ bytes }) => [...bytes])).toString()).toBe(text)
  for (const { token, logprob, top_logprobs } of logprobs!.content) {
    expect(top_logprobs).toHaveLength(3)
    expect(top_logprobs[0]).toMatchObject({ token, logprob })
    expect(logprob).toBeLessThan(0)
  }
  expect((await generator.complete('The', greedy)).logprobs).toBeUndefined()
  await expect(generator.complete('The', { topLogprobs: 21 })).rejects.toThrow(/topLogprobs must be .* 0 to 20, got 21/)
})

it('several choices read the prompt once and are what each seed gives alone', async () => {
  const options = { maxTokens: 8, seed: 5, temperature: 1.5 }
  const choices = await generator.choices('The hare', 3, options)
  const alone = await Promise.all([5, 6, 7].map((seed) => generator.complete('The hare', { ...options, seed })))
  expect(choices.map(({ text }) => text)).toEqual(alone.map(({ text }) => text))
  expect(new Set(choices.map(({ text }) => text)).size).toBe(3)
  await expect(generator.choices('The', 0)).rejects.toThrow('n must be a positive whole number, got 0')
})

it('beams: one is greedy; more find a likelier text; the cache changes nothing', async () => {
  const options = { maxTokens: 6, repetitionPenalty: 1 }
  const [one] = await generator.beams('The hare', { ...options, beams: 1 })
  expect(one!.text).toBe((await generator.complete('The hare', { ...options, temperature: 0 })).text)
  const many = await generator.beams('The hare', { ...options, beams: 5, n: 3 })
  expect(many).toHaveLength(3)
  expect(many[0]!.score).toBeGreaterThanOrEqual(one!.score)
  const uncached = await generator.beams('The hare', { ...options, beams: 5, n: 3, cache: false })
  expect(uncached.map(({ text }) => text)).toEqual(many.map(({ text }) => text))
  await expect(generator.beams('The', { beams: 2, n: 3 })).rejects.toThrow('n must be a whole number from 1 to beams (2), got 3')
})

it('what comes from programs without types is refused by name', async () => {
  await expect(generator.beams('The', { beams: 1e6 })).rejects.toThrow('beams must be a whole number from 1 to 128, got 1000000')
  await expect(generator.complete([5, 1.5])).rejects.toThrow('The prompt must be text or token ids, got 1.5 at place 1')
  await expect(generator.complete('The', { stop: 'x' as never })).rejects.toThrow('stop must be a list of texts, got "x"')
  const { text } = await generator.complete('The', { maxTokens: 2, responseFormat: null as never })
  expect(text).not.toBe('')
})
