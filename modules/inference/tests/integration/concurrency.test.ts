import { join } from 'node:path'
import { setImmediate as afterEvents } from 'node:timers/promises'
import { ModuleManager } from '@enigma/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Inference } from '../../types.js'
import { saveTinyModel, temporaryFolder } from '../tiny-model.test.fixture.js'

const modules = join(import.meta.dirname, '../../../..')
let root: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  root = await temporaryFolder()
  await saveTinyModel(join(root.path, 'owl'), { dim: 128, layers: 6, context: 2048 })
})

afterAll(() => root[Symbol.asyncDispose]())

async function open(config: Record<string, unknown> = {}) {
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('model', { model: join(root.path, 'owl') })
  await manager.load('inference', { threads: 1, ...config })
  return { manager, engine: manager.getInterface<Inference>('inference') }
}

const greedy = { temperature: 0, repetitionPenalty: 1, maxTokens: 24 }
const long = 'And they ran. '.repeat(120)

test('streams of several requests come side by side, each with the text that it has alone', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const prompts = ['Once', 'The hare', 'Hello tortoise', 'And they ran']
  const alone: string[] = []
  for (const prompt of prompts) alone.push(await engine.generate(prompt, greedy))
  const order: number[] = []
  const texts = await Promise.all(
    prompts.map(async (prompt, index) => {
      let text = ''
      for await (const piece of engine.stream(prompt, greedy)) {
        text += piece
        order.push(index)
      }
      return text
    }),
  )
  expect(texts).toEqual(alone)
  // All have begun before any has ended.
  const begins = prompts.map((_, index) => order.indexOf(index))
  const ends = prompts.map((_, index) => order.lastIndexOf(index))
  expect(Math.max(...begins)).toBeLessThan(Math.min(...ends))
})

test('the state shows what runs, waits and has room; one request too many is refused by name', async () => {
  const { manager, engine } = await open({ parallel: 2, queueLimit: 1 })
  await using _ = manager
  const before = manager.getModule('inference').usage.reported!.ram!
  const three = ['one', 'two', 'three'].map((prompt) => engine.complete(prompt, greedy))
  await expect(engine.complete('four', greedy)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  expect(engine.status()).toMatchObject({ busy: true, parallel: 2, running: 2, waiting: 1 })
  expect((await manager.health()).inference?.message).toBe('owl is answering 2 requests, 1 waiting')
  expect((await Promise.all(three)).map(({ tokens }) => tokens)).toEqual([24, 24, 24])
  expect(engine.status()).toMatchObject({ busy: false, slots: 2, running: 0, waiting: 0, answered: 3 })
  // Keys and values of two slots: 2 · 6 layers · 2048 positions · 128 numbers of 4 bytes each.
  expect(manager.getModule('inference').usage.reported!.ram! - before).toBe(2 * 2 * 6 * 2048 * 128 * 4)
})

test('a conversation that goes on is read from where it ended', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const first = await engine.complete('Once upon a time there was a hare.', greedy)
  expect(first.cachedTokens).toBe(0)
  const second = await engine.complete(`Once upon a time there was a hare.${first.text} Hello!`, greedy)
  expect(second.cachedTokens).toBeGreaterThanOrEqual(first.promptTokens)
})

test('cancelling a request gives its place to the next within 50 ms, however long its prompt is', async () => {
  const { manager, engine } = await open({ parallel: 1 })
  await using _ = manager
  let best = Number.POSITIVE_INFINITY
  // Other processes may take the core away in the very moment: the best of some tries.
  for (let attempt = 0; attempt < 6 && best >= 50; attempt++) {
    const controller = new AbortController()
    const reading = engine.complete(`${attempt} ${long}`, { ...greedy, signal: controller.signal })
    for (let turn = 0; turn < 3; turn++) await afterEvents()
    const next = engine.complete(`${attempt}`, { ...greedy, maxTokens: 1 })
    expect(engine.status()).toMatchObject({ running: 1, waiting: 1 })
    const begun = performance.now()
    controller.abort()
    expect(await reading).toMatchObject({ finishReason: 'abort', tokens: 0 })
    expect((await next).tokens).toBe(1)
    best = Math.min(best, performance.now() - begun)
  }
  expect(best).toBeLessThan(50)
})

test('a request that fails takes no other down', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const good = ['Once', 'The hare'].map((prompt) => engine.complete(prompt, greedy))
  const bad = engine.complete('Once', { responseFormat: { type: 'json_schema', schema: { type: 'nonsense' } } })
  await expect(bad).rejects.toMatchObject({ code: 'SCHEMA_INVALID' })
  expect((await Promise.all(good)).map(({ finishReason }) => finishReason)).toEqual(['length', 'length'])
})
