import { join } from 'node:path'
import type { LanguageModelService } from '@enigma/contracts'
import { ModuleManager } from '@enigma/kernel'
import { trainBpe } from '@enigma/lm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Inference } from '../../types.js'
import { saveTinyModel, temporaryFolder } from '../tiny-model.test.fixture.js'

const modules = join(import.meta.dirname, '../../../..')
let root: Awaited<ReturnType<typeof temporaryFolder>>
let folder: string

beforeAll(async () => {
  root = await temporaryFolder()
  folder = join(root.path, 'owl')
  await saveTinyModel(folder)
})

afterAll(() => root[Symbol.asyncDispose]())

async function open(config: Record<string, unknown> = {}) {
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('model', { model: folder })
  const report = await manager.load('inference', { threads: 1, ...config })
  return { manager, report, engine: manager.getInterface<Inference>('inference') }
}

const greedy = { temperature: 0, maxTokens: 12 }

test('the tokenizer is loaded along, after the model that it belongs to', async () => {
  const { manager, report } = await open()
  await using _ = manager
  expect(report.closure).toEqual(['tokenizer'])
  expect(manager.listLoaded()).toEqual(['model', 'tokenizer', 'inference'])
})

test('generate, complete and stream give the same new text, without the prompt', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const text = await engine.generate('Once upon a time', greedy)
  const completion = await engine.complete('Once upon a time', greedy)
  expect(completion).toMatchObject({ text, promptTokens: expect.any(Number), model: 'owl' })
  expect(completion.tokens).toBeLessThanOrEqual(12)
  let streamed = ''
  const stream = engine.stream('Once upon a time', greedy)
  for await (const piece of stream) streamed += piece
  expect(streamed).toBe(text)
  expect((await stream.result).text).toBe(text)
  expect(await engine.generate('Once upon a time', { ...greedy, cache: false })).toBe(text)
})

test('the settings of the module hold where a request has none', async () => {
  const { manager, engine } = await open({ maxTokens: 3, temperature: 0 })
  await using _ = manager
  expect((await engine.complete('The hare', { temperature: undefined } as object)).tokens).toBe(3)
  expect((await engine.complete('The hare', { maxTokens: 5 })).tokens).toBe(5)
  expect(await engine.generate('The hare')).toBe(await engine.generate('The hare'))
})

test('settings out of range are refused, by the module and by a request', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  await expect(engine.generate('a', { topP: 2 })).rejects.toThrow(/topP must be .*, got 2/)
  await expect(engine.generate(7 as unknown as string)).rejects.toThrow('prompt must be a string, got number')
  await manager.unload('inference')
  await expect(manager.load('inference', { temperature: 3 })).rejects.toThrow(/temperature/)
})

test('a stop text ends the answer and is not part of it', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const text = await engine.generate('Once', greedy)
  const stop = text.slice(2, 5)
  const completion = await engine.complete('Once', { ...greedy, stop: [stop] })
  expect(completion).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finishReason: 'stop' })
})

test('one at a time, requests are answered in order, and the events tell of each', async () => {
  const { manager, engine } = await open({ parallel: 1 })
  await using _ = manager
  await Promise.all([engine.generate('one', greedy), engine.complete('two', greedy), engine.stream('three', greedy).result])
  const seen = manager.events.recent('generation.*').map(({ name, payload }) => `${name} ${(payload as { id: string }).id}`)
  expect(seen).toEqual([1, 2, 3].flatMap((n) => [`generation.started generation-${n}`, `generation.finished generation-${n}`]))
  expect(await manager.runCommand('inference', 'status')).toMatchObject({
    ...{ model: 'owl', busy: false, waiting: 0, answered: 3 },
    ...{ parallel: 1, slots: 1, running: 0 },
  })
  expect((await manager.health()).inference).toEqual({ status: 'healthy', message: 'owl is ready' })
  expect(manager.getModule('inference').usage.reported?.ram).toBeGreaterThan(0)
})

test('an aborted request ends at once; one that waits never begins', async () => {
  const { manager, engine } = await open({ parallel: 1 })
  await using _ = manager
  const running = new AbortController()
  const waiting = new AbortController()
  const first = engine.stream('Once', { temperature: 0, maxTokens: 60, signal: running.signal })
  const second = engine.complete('Once', { signal: waiting.signal })
  const third = engine.generate('Once', { ...greedy, signal: running.signal })
  const rejected = expect(third).rejects.toThrow('enough')
  waiting.abort()
  expect(await second).toMatchObject({ finishReason: 'abort', tokens: 0, text: '' })
  let pieces = 0
  for await (const _ of first) if (++pieces === 2) running.abort(new Error('enough'))
  expect((await first.result).finishReason).toBe('abort')
  await rejected
  expect(await engine.generate('Once', greedy)).not.toBe('')
})

test('leaving a stream frees the engine for the next request', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  for await (const _ of engine.stream('Once', { temperature: 0, maxTokens: 60 })) break
  expect(await engine.generate('Once', greedy)).not.toBe('')
})

test('a conversation that outgrows the context loses its oldest messages, and an event says how many', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const messages = Array.from(
    { length: 9 },
    (_, n) => ({ role: n % 2 ? 'assistant' : 'user', content: `Hello number ${n}.` }) as const,
  )
  expect(typeof (await engine.chat(messages, greedy))).toBe('string')
  expect(manager.events.recent('generation.truncated').map(({ payload }) => payload)).toEqual([
    { id: 'generation-1', model: 'owl', dropped: expect.any(Number), trimmed: true },
  ])
  expect(await engine.chat('Hello.', greedy)).toBe(await engine.chat([{ role: 'user', content: 'Hello.' }], greedy))
})

test('unloading ends what is being generated, and the handle says where it went', async () => {
  const { manager, engine } = await open()
  await using _ = manager
  const stream = engine.stream('Once', { temperature: 0, maxTokens: 60 })
  const cut = engine.generate('Once', greedy)
  cut.catch(() => undefined)
  await manager.unload('inference')
  expect((await stream.result).finishReason).toBe('abort')
  await expect(cut).rejects.toThrow(/unloaded/)
  expect(() => engine.generate('Once')).toThrow(/inference/)
})

test('a model cannot be unloaded under its engine; the engine first, or both at once in that order', async () => {
  const { manager } = await open()
  await using _ = manager
  await expect(manager.unload('model')).rejects.toThrow("Cannot unload 'model': required by 'inference'")
  expect((await manager.unload('model', { cascade: true })).unloaded).toEqual(['inference', 'model'])
})

test("a tokenizer that is not the model's is refused", async () => {
  await using other = await temporaryFolder()
  const { tokenizer } = await trainBpe({ texts: ['a b c'], vocabSize: 259 })
  await tokenizer.save(join(other.path, 'tokenizer.json'))
  await using manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('model', { model: folder })
  await manager.load('tokenizer', { file: other.path })
  await expect(manager.load('inference')).rejects.toThrow(/do not belong together/)
  expect(manager.getInterface<LanguageModelService>('model').name).toBe('owl')
})
