import { setImmediate as afterEvents } from 'node:timers/promises'
import type { FloatTensor } from '@enigma/tensor/formats'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createConfig, type ModelConfig } from '../../config.js'
import { LanguageModel } from '../../language-model.js'
import { LlamaForCausalLM } from '../../model/llama.js'
import { sampleText } from '../../testing/sample-text.js'
import { type Tokenizer, trainBpe } from '../../tokenizer/index.js'
import { Decoder } from '../decoder.js'
import { TextGenerator, type TextGeneratorOptions } from '../text-generator.js'

const compiled = { spin: false, threads: 1 }
const greedy = { temperature: 0, repetitionPenalty: 1 }
const soak = process.env.ENIGMA_SOAK !== undefined
let tokenizer: Tokenizer
let ids: readonly number[]
beforeAll(async () => {
  tokenizer = (await trainBpe({ texts: [sampleText(200)], vocabSize: 300 })).tokenizer
  ids = tokenizer.encode(sampleText(2000))
})

function modelOf(shape: Partial<ModelConfig> = {}): LanguageModel {
  const config = createConfig({
    vocabSize: tokenizer.vocabSize,
    dim: 32,
    layers: 2,
    heads: 2,
    kvHeads: 1,
    context: 256,
    ...shape,
  })
  const weights = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as Record<string, FloatTensor>
  return LanguageModel.inMemory('tiny', config, weights, tokenizer)
}

async function open(options: TextGeneratorOptions = {}, shape: Partial<ModelConfig> = {}) {
  const generator = await TextGenerator.create(modelOf(shape), { ...compiled, ...options })
  return Object.assign(generator, { [Symbol.dispose]: () => generator.close() })
}

/** The likeliest tokens, one text at a time, by the decoder alone. */
async function alone(prompt: readonly number[], count: number): Promise<string> {
  const { config, weights } = modelOf()
  const decoder = await Decoder.create(config, weights, compiled)
  using sequence = decoder.start()
  const found: number[] = []
  let next = [...prompt]
  while (found.length < count) {
    const logits = await decoder.feed(sequence, next)
    next = [logits.reduce((best, value, token) => (value > logits[best]! ? token : best), 0)]
    found.push(next[0]!)
  }
  decoder.release()
  return tokenizer.decode(found)
}

describe('texts generated at the same time', () => {
  const request = fc.record({
    from: fc.nat({ max: 40 }),
    length: fc.integer({ min: 1, max: 180 }),
    count: fc.integer({ min: 1, max: 40 }),
    /** Turns of the event loop before it comes. */
    arrival: fc.nat({ max: 60 }),
    /** Pieces after which its reader leaves, or its signal fires. */
    leaves: fc.option(fc.nat({ max: 8 }), { nil: undefined, freq: 3 }),
    aborts: fc.boolean(),
  })

  it('are the texts that each is alone, whenever they come, however long, whoever leaves', async () => {
    using generator = await open({ parallel: 5 })
    const known = new Map<string, Promise<string>>()
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 16 }), async (requests) => {
        const ask = async ({ from, length, count, arrival, leaves, aborts }: (typeof requests)[number]) => {
          for (let turn = 0; turn < arrival; turn++) await afterEvents()
          const prompt = ids.slice(from, from + length)
          const controller = new AbortController()
          const stream = generator.stream(prompt, { ...greedy, maxTokens: count, signal: controller.signal })
          let text = ''
          for (let piece = 0; ; piece++) {
            const next = await stream.next()
            if (next.done) break
            text += next.value
            if (piece !== leaves) continue
            if (!aborts) return void (await stream.return(undefined as never))
            controller.abort()
          }
          const key = `${from} ${length} ${count}`
          if (!known.has(key)) known.set(key, alone(prompt, count))
          const whole = await known.get(key)!
          if (controller.signal.aborted) expect(whole.startsWith(text.replace(/\uFFFD+$/, ''))).toBe(true)
          else expect(text).toBe(whole)
        }
        await Promise.all(requests.map(ask))
        expect(generator.status).toMatchObject({ busy: 0, waiting: 0 })
      }),
      { numRuns: soak ? 200 : 10 },
    )
  })

  it('take 16 slots where there are 16 texts, and the steps are shared', async () => {
    using generator = await open()
    const prompts = Array.from({ length: 16 }, (_, index) => ids.slice(100 * index, 100 * index + 20))
    const results = await Promise.all(prompts.map((prompt) => generator.complete(prompt, { ...greedy, maxTokens: 24 })))
    expect(results.map(({ text }) => text)).toEqual(await Promise.all(prompts.map((prompt) => alone(prompt, 24))))
    expect(generator.status).toEqual({ parallel: 16, slots: 16, busy: 0, waiting: 0, fed: 16 * (20 + 23) })
  })

  it('stay what they are when those between them have ended, and the rest moves together', async () => {
    using generator = await open({ parallel: 12 })
    const lengths = Array.from({ length: 12 }, (_, index) => (index === 2 || index === 11 ? 90 : 3 + index))
    const prompts = lengths.map((_, index) => ids.slice(60 * index, 60 * index + 12 + index))
    const ask = (index: number) => generator.complete(prompts[index]!, { ...greedy, maxTokens: lengths[index]! })
    const results = await Promise.all(lengths.map((_, index) => ask(index)))
    for (const [index, { text }] of results.entries()) expect(text).toBe(await alone(prompts[index]!, lengths[index]!))
    // What the others had read has moved along: it is there for who asks again.
    const again = await Promise.all([0, 11].map(ask))
    expect(again.map(({ text }) => text)).toEqual([results[0]!.text, results[11]!.text])
    expect(again.map(({ cachedTokens }) => cachedTokens)).toEqual([11, 22])
  })

  it('a long prompt is read in pieces between the tokens of the others', async () => {
    using generator = await open({}, { context: 2048, dim: 64 })
    const order: string[] = []
    const short = generator.stream(ids.slice(0, 4), { ...greedy, maxTokens: 60 })
    await short.next()
    const long = generator.complete(ids.slice(0, 1500), { ...greedy, maxTokens: 1 }).then(() => order.push('long'))
    for await (const _ of short) order.push('short')
    await long
    expect(order.indexOf('long')).toBeGreaterThan(8)
  })
})

describe('what a slot has read stays', () => {
  it('and a conversation that goes on reads only what is new', async () => {
    using generator = await open()
    const options = { ...greedy, maxTokens: 10 }
    const first = await generator.complete(ids.slice(0, 50), options)
    expect(first).toMatchObject({ promptTokens: 50, cachedTokens: 0 })
    const { fed } = generator.status
    const said = tokenizer.encode(first.text)
    const prompt = [...ids.slice(0, 50), ...said, ...ids.slice(70, 80)]
    const second = await generator.complete(prompt, options)
    expect(second.promptTokens).toBe(prompt.length)
    // The last token of an answer was chosen, but never fed.
    expect(second.cachedTokens).toBeGreaterThanOrEqual(50)
    expect(generator.status.fed - fed).toBe(prompt.length - second.cachedTokens + 9)
    expect(second.text).toBe(await alone(prompt, 10))
    expect(generator.status.slots).toBe(1)
  })

  it('a few conversations keep what they have read, in turns', async () => {
    using generator = await open()
    const talks = [0, 300, 600].map((from) => ids.slice(from, from + 60))
    for (const talk of talks) await generator.complete(talk.slice(0, 40), { ...greedy, maxTokens: 1 })
    const again = await Promise.all(talks.map((talk) => generator.complete(talk, { ...greedy, maxTokens: 4 })))
    expect(again.map(({ cachedTokens }) => cachedTokens)).toEqual([40, 40, 40])
    expect(again.map(({ text }) => text)).toEqual(await Promise.all(talks.map((talk) => alone(talk, 4))))
  })

  it('several texts of one prompt read it once, and are those of their seeds', async () => {
    using generator = await open()
    const prompt = ids.slice(0, 90)
    const options = { maxTokens: 12, seed: 5 }
    const texts = await generator.choices(prompt, 4, options)
    expect(texts.map(({ cachedTokens }) => cachedTokens)).toEqual([0, 89, 89, 89])
    expect(generator.status).toMatchObject({ fed: 90 + 3 + 4 * 11, slots: 4 })
    for (const [index, { text }] of texts.entries())
      expect((await generator.complete(prompt, { ...options, seed: 5 + index })).text).toBe(text)
  })
})

describe('requests beyond the slots', () => {
  it('wait in order; one too many is refused, and those that wait can leave', async () => {
    using generator = await open({ parallel: 1, queueLimit: 2 })
    const order: number[] = []
    const leaving = new AbortController()
    const ask = async (index: number, signal?: AbortSignal) => {
      const options = { ...greedy, maxTokens: 6, ...(signal && { signal }) }
      const { finishReason } = await generator.complete(ids.slice(10 * index, 10 * index + 5), options)
      if (finishReason === 'length') order.push(index)
      return finishReason
    }
    const first = ask(0)
    const second = ask(1, leaving.signal)
    const third = ask(2)
    await expect(ask(3)).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      message: expect.stringMatching(/no more than 2 may\. Try again later, or raise queueLimit/),
    })
    leaving.abort()
    expect(await second).toBe('abort')
    expect(await Promise.all([ask(4), first, third])).toEqual(['length', 'length', 'length'])
    expect(order).toEqual([0, 2, 4])
  })

  it('settings out of range are refused', async () => {
    await expect(open({ parallel: 0 })).rejects.toThrow('parallel must be a positive whole number, got 0')
    await expect(open({ queueLimit: -1 })).rejects.toThrow('queueLimit must be a whole number, 0 or more, got -1')
  })
})

it('a text that fails takes no other down', async () => {
  using generator = await open()
  const good = [0, 50, 100].map((from) => generator.complete(ids.slice(from, from + 9), { ...greedy, maxTokens: 20 }))
  // Ids that the model does not have: the first fails while its prompt is read, the second in a step that all share.
  const bad = [[1, 2, 9999], [9999]].map((prompt) => generator.complete(prompt, { ...greedy, maxTokens: 5 }))
  const failed = (await Promise.allSettled(bad)) as PromiseRejectedResult[]
  expect(failed.map(({ reason }) => reason.code)).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
  const texts = await Promise.all(good)
  expect(texts.map(({ text }) => text)).toEqual(
    await Promise.all([0, 50, 100].map((from) => alone(ids.slice(from, from + 9), 20))),
  )
  expect(generator.status).toMatchObject({ busy: 0, waiting: 0 })
})

it('closing ends all texts with what there is, and no other begins', async () => {
  const generator = await open({ parallel: 2 })
  const texts = [0, 50, 100].map((from) => generator.complete(ids.slice(from, from + 9), { ...greedy, maxTokens: 200 }))
  for (let turn = 0; turn < 20; turn++) await afterEvents()
  generator.close()
  expect((await Promise.all(texts)).map(({ finishReason }) => finishReason)).toEqual(['abort', 'abort', 'abort'])
  await expect(generator.complete(ids.slice(0, 3))).rejects.toMatchObject({ code: 'CLOSED' })
})

it('a slot is free within 50 ms of its cancellation, among others and alone', async () => {
  using generator = await open({ parallel: 2 }, { dim: 256, layers: 6, context: 2048 })
  const other = new AbortController()
  const stream = generator.complete(ids.slice(0, 4), { ...greedy, maxTokens: 2000, signal: other.signal })
  let best = Number.POSITIVE_INFINITY
  // Other processes may take the core away in the very moment: the best of some tries.
  for (let attempt = 0; attempt < 6 && best >= 50; attempt++) {
    const controller = new AbortController()
    const cancelled = generator.complete(ids.slice(10 + attempt, 1900), { signal: controller.signal })
    while (generator.status.busy < 2) await afterEvents()
    const next = generator.stream(ids.slice(300 + attempt, 302 + attempt), { ...greedy, maxTokens: 4 })
    const piece = next.next()
    expect(generator.status).toMatchObject({ busy: 2, waiting: 1 })
    const begun = performance.now()
    controller.abort()
    expect(generator.status.busy).toBe(1)
    expect(await cancelled).toMatchObject({ finishReason: 'abort', tokens: 0 })
    await piece
    best = Math.min(best, performance.now() - begun)
    await next.return(undefined as never)
  }
  expect(best).toBeLessThan(50)
  other.abort()
  expect((await stream).finishReason).toBe('abort')
})
