import { join } from 'node:path'
import type { ChatMessage, TextGeneration } from '@enigma/contracts'
import { ModuleManager } from '@enigma/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GgufLoader } from '../../types.js'
import { gapTokens, llamaThere, type TinyModel, tinyModel } from '../tiny-gguf.test.fixture.js'

const modules = join(import.meta.dirname, '../../../..')
const greedy = { temperature: 0, maxTokens: 24 }
const chatMl =
  "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

describe.runIf(llamaThere)('with llama.cpp', () => {
  let model: TinyModel
  let manager: ModuleManager
  let engine: GgufLoader
  let ours: TextGeneration
  let own: ModuleManager

  beforeAll(async () => {
    model = await tinyModel({ specials: gapTokens, template: chatMl })
    manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
    await manager.load('gguf-loader', { model: model.gguf, cacheType: 'f32', threads: 1, parallel: 2 })
    engine = manager.getInterface<GgufLoader>('gguf-loader')
    own = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
    await own.load('model', { model: model.folder })
    await own.load('inference', { threads: 1 })
    ours = own.getInterface<TextGeneration>('inference')
  })

  afterAll(async () => {
    await Promise.all([manager?.shutdown(), own?.shutdown()])
    await model?.[Symbol.asyncDispose]()
  })

  test('the same weights give the same text as the module inference: texts, penalties, bias, stop, truncation', async () => {
    const texts = ['Once upon a time', 'The hare said: grüße 👩‍👩‍👧', '', 'x <|endoftext|> y']
    for (const prompt of texts)
      expect(await engine.complete(prompt, greedy)).toMatchObject(shape(await ours.complete(prompt, greedy)))
    const text = await ours.generate('Once', greedy)
    const settings = [
      { ...greedy, repetitionPenalty: 1.5, presencePenalty: 0.3, frequencyPenalty: 0.2 },
      { ...greedy, repetitionPenalty: 1, logitBias: { 40: 100 } },
      { ...greedy, stop: [text.slice(3, 6)] },
    ]
    for (const options of settings)
      expect(await engine.complete('Once', options)).toMatchObject(shape(await ours.complete('Once', options)))
    const long = 'And they ran. '.repeat(80)
    await expect(engine.complete(long, greedy)).rejects.toMatchObject({ name: 'LmError', code: 'CONTEXT_OVERFLOW' })
    const cut = { ...greedy, truncate: 'middle' } as const
    expect(await engine.complete(long, cut)).toMatchObject(shape(await ours.complete(long, cut)))
  })

  test('conversations are written by the template of the file, and shortened alike', async () => {
    const messages: ChatMessage[] = Array.from({ length: 30 }, (_, n) => ({
      role: n % 2 ? 'assistant' : 'user',
      content: `Hello ${n}, <|im_end|> hare.`,
    }))
    for (const list of [messages.slice(-1), messages.slice(-4), messages])
      expect(await engine.streamChat(list, greedy).result).toMatchObject(shape(await ours.streamChat(list, greedy).result))
    const dropped = manager.events.recent('generation.truncated').map(({ payload }) => (payload as { dropped: number }).dropped)
    expect(dropped).toEqual(
      own.events.recent('generation.truncated').map(({ payload }) => (payload as { dropped: number }).dropped),
    )
    expect(dropped.length).toBeGreaterThan(0)
  })

  test('a stream gives the same text in whole characters; a seed the same again', async () => {
    const options = { temperature: 1.5, maxTokens: 40, seed: 5 }
    const stream = engine.stream('Once', options)
    let text = ''
    for await (const piece of stream) {
      expect(piece).not.toMatch(/[\ud800-\udbff]$/)
      text += piece
    }
    expect(text).toBe((await stream.result).text)
    expect(await engine.generate('Once', options)).toBe(text)
    expect(await engine.generate('Once', { ...options, seed: 6 })).not.toBe(text)
  })

  test('requests at the same time give each what it gives alone', async () => {
    const prompts = ['Once upon', 'The hare', 'And they ran', 'hello!', 'Once upon a']
    const alone: string[] = []
    for (const prompt of prompts) alone.push(await engine.generate(prompt, greedy))
    expect(await Promise.all(prompts.map((prompt) => engine.generate(prompt, greedy)))).toEqual(alone)
    expect(await engine.generate('Once upon', { ...greedy, cache: false })).toBe(alone[0])
  })

  test('JSON by a schema; what its grammars cannot say is refused', async () => {
    const schema = {
      type: 'object',
      properties: { ran: { type: 'boolean' }, who: { enum: ['hare', 'tortoise'] } },
      required: ['ran', 'who'],
    }
    const answer = await engine.complete('As JSON:', { responseFormat: { type: 'json_schema', schema }, maxTokens: 150, seed: 1 })
    expect(JSON.parse(answer.text)).toEqual({ ran: expect.any(Boolean), who: expect.stringMatching(/^(hare|tortoise)$/) })
    expect(answer.finishReason).toBe('stop')
    const bounded = { type: 'integer', minimum: 3 }
    await expect(engine.generate('x', { responseFormat: { type: 'json_schema', schema: bounded } })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
    await expect(engine.generate('x', { topP: 2 })).rejects.toMatchObject({ name: 'LmError', code: 'INVALID_OPTION' })
  })

  test('an aborted request ends at once with what there is, and the next is answered', async () => {
    const controller = new AbortController()
    const stream = engine.stream('Once', { temperature: 0, maxTokens: 200, signal: controller.signal })
    const rest = engine.generate('Once', { temperature: 0, maxTokens: 200, signal: controller.signal })
    const rejected = expect(rest).rejects.toThrow('enough')
    let pieces = 0
    for await (const _ of stream) if (++pieces === 2) controller.abort(new Error('enough'))
    expect(await stream.result).toMatchObject({ finishReason: 'abort' })
    await rejected
    expect(await engine.generate('Once', greedy)).toBe(await ours.generate('Once', greedy))
    for await (const _ of engine.stream('Once', { temperature: 0, maxTokens: 200 })) break
  })

  test('a crash is an error of the requests under way; the next one starts the process again', async () => {
    const before = engine.status()
    const text = await engine.generate('Once', greedy)
    const stream = engine.stream('Once', { temperature: 0, maxTokens: 200 })
    const failed = expect(stream.result).rejects.toMatchObject({
      name: 'EngineError',
      code: 'ENGINE_CRASHED',
      message: expect.stringContaining('SIGKILL'),
    })
    await stream[Symbol.asyncIterator]().next()
    process.kill(before.pid!, 'SIGKILL')
    await failed
    expect(manager.getModule('gguf-loader').state).toBe('active')
    expect((await manager.health())['gguf-loader']).toMatchObject({ status: 'degraded' })
    expect(await engine.generate('Once', greedy)).toBe(text)
    expect(engine.status()).toMatchObject({ restarts: before.restarts + 1, device: 'cpu', context: 256 })
    expect((await manager.runCommand('gguf-loader', 'status')) as object).toMatchObject({ model: 'owl', infill: true })
  })

  test('a gap between two texts is marked by the tokens of the model; unloading ends requests and process', async () => {
    const { text, promptTokens } = await engine.infill!('The hare', ' ran.', greedy).result
    expect(text).not.toBe('')
    expect(shape(await ours.infill!('The hare', ' ran.', greedy).result)).toMatchObject({ text, promptTokens })
    await using plain = await tinyModel()
    await using other = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
    await other.load('gguf-loader', { model: plain.gguf, threads: 1 })
    const without = other.getInterface<GgufLoader>('gguf-loader')
    await expect(without.infill!('a', 'b').result).rejects.toMatchObject({ code: 'INFILL_UNSUPPORTED' })
    expect(await without.chat('Hello hare.', greedy)).toEqual(expect.any(String))

    // Unloading ends what is under way, and the process.
    const { pid } = without.status()
    const stream = without.stream('Once', { temperature: 0, maxTokens: 200 })
    await other.unload('gguf-loader')
    expect((await stream.result).finishReason).toBe('abort')
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH')
    const gone = join(plain.folder, 'gone.gguf')
    await expect(other.load('gguf-loader', { model: gone })).rejects.toThrow(`No GGUF file at ${gone}`)
  })
})

/** What must not differ between engines. */
function shape({
  text,
  tokens,
  promptTokens,
  finishReason,
  stopString,
  droppedTokens,
}: Awaited<ReturnType<TextGeneration['complete']>>) {
  return {
    text,
    tokens,
    promptTokens,
    finishReason,
    ...(stopString !== undefined && { stopString }),
    ...(droppedTokens && { droppedTokens }),
  }
}
