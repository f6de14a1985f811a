import { join } from 'node:path'
import { ModuleManager } from '@enigma/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Inference } from '../../types.js'
import { saveTinyModel, temporaryFolder } from '../tiny-model.test.fixture.js'

const modules = join(import.meta.dirname, '../../../..')
let root: Awaited<ReturnType<typeof temporaryFolder>>
let manager: ModuleManager
let engine: Inference

beforeAll(async () => {
  root = await temporaryFolder()
  await saveTinyModel(join(root.path, 'owl'), { context: 512 })
  manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('model', { model: join(root.path, 'owl') })
  await manager.load('inference', { threads: 1 })
  engine = manager.getInterface<Inference>('inference')
})

afterAll(async () => {
  await manager.shutdown()
  await root[Symbol.asyncDispose]()
})

const clock = { type: 'function', function: { name: 'clock' } } as const

test('JSON by a schema comes as a stream like any text', async () => {
  const schema = { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 3 }
  const stream = engine.stream('Numbers: ', { responseFormat: { type: 'json_schema', schema }, maxTokens: 40, seed: 1 })
  let text = ''
  for await (const piece of stream) text += piece
  expect((await stream.result).finishReason).toBe('stop')
  const numbers = JSON.parse(text) as number[]
  expect(numbers.every(Number.isInteger)).toBe(true)
  await expect(engine.generate('x', { responseFormat: { type: 'json_schema', schema }, maxTokens: 2 })).rejects.toMatchObject({
    code: 'BUDGET_TOO_SMALL',
  })
})

test('several choices, beams and calls are requests like any other: counted, told of, with the name of the model', async () => {
  const before = engine.status().answered
  const choices = await engine.choices('Once', 3, { maxTokens: 4, seed: 1 })
  expect(choices.map(({ model, tokens }) => [model, tokens])).toEqual([1, 2, 3].map(() => ['owl', 4]))
  const [beam] = await engine.beams('Once', { beams: 3, maxTokens: 4 })
  expect(beam).toMatchObject({ model: 'owl', score: expect.any(Number) })
  const answer = await engine.chatWithTools([{ role: 'user', content: 'Time?' }], { tools: [clock], toolChoice: 'required' })
  expect(answer).toMatchObject({ model: 'owl', finishReason: 'tool_calls', toolCalls: [{ function: { name: 'clock' } }] })
  expect(engine.status().answered).toBe(before + 3)
  const told = manager.events.recent('generation.finished').slice(-3)
  expect(told.map(({ payload }) => (payload as { tokens: number }).tokens)).toEqual([12, 4, answer.tokens])
})

test('probabilities and what was left out are part of the answer', async () => {
  const { logprobs } = await engine.complete('Once', { maxTokens: 2, topLogprobs: 2 })
  expect(logprobs!.content.map(({ top_logprobs }) => top_logprobs.length)).toEqual([2, 2])
  const long = 'The hare ran. '.repeat(200)
  await expect(engine.complete(long)).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' })
  expect((await engine.complete(long, { truncate: 'middle', maxTokens: 2 })).droppedTokens).toBeGreaterThan(0)
})

test('what comes at once rejects with the reason when it is aborted, and the next request is answered', async () => {
  for (const ask of [
    (signal: AbortSignal) => engine.choices('Once', 50, { maxTokens: 400, signal }),
    (signal: AbortSignal) => engine.beams('Once', { beams: 8, maxTokens: 400, signal }),
    (signal: AbortSignal) =>
      engine.chatWithTools([{ role: 'user', content: 'Go on.' }], { tools: [clock], maxTokens: 400, signal }),
  ]) {
    const controller = new AbortController()
    const started = new Promise((resolve) => manager.events.once('generation.started', resolve))
    const rejected = expect(ask(controller.signal)).rejects.toThrow('enough')
    await started
    controller.abort(new Error('enough'))
    await rejected
    expect((await engine.complete('Once', { maxTokens: 1 })).tokens).toBe(1)
  }
})
