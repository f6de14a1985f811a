import { join } from 'node:path'
import { ModuleManager } from '@enigma/kernel'
import { expect, test } from 'vitest'
import type { ChatApi } from '../../types.js'
import {
  begun,
  byteByByte,
  delta,
  done,
  event,
  events,
  finish,
  type Reply,
  refusal,
  scriptedServer,
  textPiece,
  torn,
  usage,
} from '../scripted-server.test.fixture.js'

const modules = join(import.meta.dirname, '../../../..')
const secret = 'sk-test-0123456789abcdef'

async function open(replies: Reply[], config: Record<string, unknown> = {}) {
  const server = await scriptedServer(...replies)
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('chat-api', { baseUrl: server.url, model: 'parrot', apiKey: secret, retries: 0, ...config })
  const engine = manager.getInterface<ChatApi>('chat-api')
  return {
    ...{ server, manager, engine },
    async [Symbol.asyncDispose]() {
      await manager.shutdown()
      await server[Symbol.asyncDispose]()
    },
  }
}

const hello = events(delta('Hel'), delta('lo!'), finish(), usage(7, 2), done)

test('a conversation goes to /chat/completions as it is, with the key, and the usage comes back', async () => {
  await using opened = await open([hello])
  const messages = [{ role: 'system', content: 'Be brief.' } as const, { role: 'user', content: 'Hi' } as const]
  const stream = opened.engine.streamChat(messages, { temperature: 0, seed: 3 })
  const pieces: string[] = []
  for await (const piece of stream) pieces.push(piece)
  expect(pieces).toEqual(['Hel', 'lo!'])
  expect(await stream.result).toMatchObject({ text: 'Hello!', tokens: 2, promptTokens: 7, finishReason: 'stop', model: 'parrot' })
  const [asked] = opened.server.asked
  expect(asked!.path).toBe('/v1/chat/completions')
  expect(asked!.headers.authorization).toBe(`Bearer ${secret}`)
  expect(asked!.body).toEqual({
    ...{ model: 'parrot', messages, max_tokens: 256, temperature: 0, seed: 3 },
    ...{ stream: true, stream_options: { include_usage: true } },
  })
})

test('texts go to /completions, or as a chat where the server has no other; gaps with their suffix', async () => {
  const reply = events(textPiece('there was'), event({ choices: [{ text: '', finish_reason: 'length' }] }), done)
  await using opened = await open([reply])
  expect(await opened.engine.complete('Once', { maxTokens: 2 })).toMatchObject({ text: 'there was', finishReason: 'length' })
  await opened.engine.infill!('def f(', '\n  return x').result
  expect(opened.server.asked.map(({ path, body }) => [path, body.prompt, body.suffix])).toEqual([
    ['/v1/completions', 'Once', undefined],
    ['/v1/completions', 'def f(', '\n  return x'],
  ])
  await using chats = await open([hello], { raw: 'chat' })
  expect(await chats.engine.generate('Hi')).toBe('Hello!')
  expect(chats.server.asked[0]!.body.messages).toEqual([{ role: 'user', content: 'Hi' }])
})

test('characters that are split between packets, or between events, come whole', async () => {
  const text = 'grüße 東京 👩‍👩‍👧 !'
  const halves = [event('{"choices":[{"delta":{"content":"\\ud83d"}}]}'), event('{"choices":[{"delta":{"content":"\\ude00"}}]}')]
  await using opened = await open([byteByByte(delta(text), ...halves, finish(), done)])
  const pieces: string[] = []
  for await (const piece of opened.engine.streamChat('Hi')) pieces.push(piece)
  expect(pieces).toEqual([text, '😀'])
})

test('a server that does not stream is understood, too', async () => {
  const choices = [{ message: { content: 'Hello!' }, finish_reason: 'stop' }]
  await using opened = await open([refusal(200, { choices, usage: { prompt_tokens: 4, completion_tokens: 3 } })])
  expect(await opened.engine.streamChat('Hi').result).toMatchObject({ text: 'Hello!', tokens: 3, promptTokens: 4 })
})

test('an answer that breaks off is an error, however it breaks off', async () => {
  for (const reply of [torn(delta('Hel')), events(delta('Hel')), events(delta('Hel'), 'data: {"choices":[{"del')]) {
    await using opened = await open([reply])
    const stream = opened.engine.streamChat('Hi')
    let text = ''
    const reading = (async () => {
      for await (const piece of stream) text += piece
    })()
    await expect(reading).rejects.toMatchObject({ name: 'EngineError', code: 'DISCONNECTED' })
    expect(text).toBe('Hel')
    expect(opened.manager.events.recent('generation.failed')).toHaveLength(1)
  }
})

test('a server that falls silent is given up: before its answer and within', async () => {
  for (const reply of [() => undefined, begun(delta('Hel'))]) {
    await using opened = await open([reply], { timeout: 0.08 })
    await expect(opened.engine.chat('Hi')).rejects.toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('0.08 s') })
  }
})

test('aborting, leaving the loop and unloading close the connection', async () => {
  const ends: ((opened: Awaited<ReturnType<typeof open>>) => Promise<unknown>)[] = [
    async ({ engine }) => {
      const controller = new AbortController()
      const stream = engine.streamChat('Hi', { signal: controller.signal })
      for await (const _ of stream) controller.abort(new Error('enough'))
      expect(await stream.result).toMatchObject({ text: 'Hel', finishReason: 'abort' })
    },
    async ({ engine }) => {
      for await (const _ of engine.streamChat('Hi')) break
    },
    async ({ engine, manager }) => {
      const stream = engine.streamChat('Hi')
      const cut = engine.chat('Hi')
      cut.catch(() => undefined)
      await stream[Symbol.asyncIterator]().next()
      await manager.unload('chat-api')
      expect((await stream.result).finishReason).toBe('abort')
      await expect(cut).rejects.toThrow(/unloaded/)
    },
  ]
  for (const end of ends) {
    await using opened = await open([begun(delta('Hel'))])
    const closed = opened.server.whenClosed()
    await end(opened)
    await closed
    expect(opened.server.brokenOff).toBeGreaterThan(0)
  }
})

test('what was aborted before it began asks nobody', async () => {
  await using opened = await open([hello])
  const signal = AbortSignal.abort(new Error('never mind'))
  await expect(opened.engine.chat('Hi', { signal })).rejects.toThrow('never mind')
  expect((await opened.engine.complete('Hi', { signal })).finishReason).toBe('abort')
  expect(opened.server.asked).toHaveLength(0)
})

test('a busy server is asked again after the time that it names, and no more often than allowed', async () => {
  const busy = refusal(429, { error: { message: 'slow down' } }, { 'retry-after': '0.05' })
  await using opened = await open([busy, refusal(503, {}, { 'retry-after': '0' }), hello], { retries: 2 })
  const begun = performance.now()
  expect(await opened.engine.chat('Hi')).toBe('Hello!')
  expect(performance.now() - begun).toBeGreaterThanOrEqual(49)
  await using never = await open([busy], { retries: 1 })
  await expect(never.engine.chat('Hi')).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    message: expect.stringContaining('slow down'),
  })
  expect(never.server.asked).toHaveLength(2)
  await using poor = await open([refusal(429, { error: { message: 'no money', code: 'insufficient_quota' } })], { retries: 5 })
  await expect(poor.engine.chat('Hi')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  expect(poor.server.asked).toHaveLength(1)
})

test('each refusal has a code of its own', async () => {
  const cases: [Reply, string][] = [
    [refusal(401, { error: { message: 'Incorrect API key' } }), 'UNAUTHORIZED'],
    [refusal(404, { error: { message: 'model "parrot" not found, try pulling it first' } }), 'MODEL_NOT_FOUND'],
    [refusal(404, { detail: 'Not Found' }), 'ENDPOINT_MISSING'],
    [refusal(400, { error: { message: 'too long', code: 'context_length_exceeded' } }), 'CONTEXT_OVERFLOW'],
    [refusal(400, { error: 'the request exceeds the available context size' }), 'CONTEXT_OVERFLOW'],
    [refusal(422, { message: 'logit_bias is unknown' }), 'INVALID_OPTION'],
    [refusal(500, { error: { message: 'out of memory' } }), 'SERVER_ERROR'],
    [events(delta('a'), event({ error: { message: 'crashed' } })), 'SERVER_ERROR'],
    [events(delta('a'), event('{')), 'BAD_RESPONSE'],
    [events(finish('content_filter')), 'REFUSED'],
    [refusal(302, {}, { location: 'http://127.0.0.1:9/steal' }), 'BAD_RESPONSE'],
  ]
  for (const [reply, code] of cases) {
    await using opened = await open([reply])
    await expect(opened.engine.chat('Hi')).rejects.toMatchObject({ name: 'EngineError', code })
  }
  await using gone = await open([hello])
  await gone.server[Symbol.asyncDispose]()
  await expect(gone.engine.chat('Hi')).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

test('the key is in no event, no log, no error, no view of the module', async () => {
  await using opened = await open([refusal(401, { error: { message: `Incorrect API key: ${secret}` } })])
  const failure = await opened.engine.chat('Hi').then(
    () => undefined,
    (error: Error) => error,
  )
  const { engine, manager } = opened
  const told = [
    failure!.message,
    failure!.stack,
    manager.events.recent('**'),
    manager.getModule('chat-api'),
    engine.status(),
    await manager.health(),
  ]
  expect(JSON.stringify(told)).not.toContain(secret)
  await expect(open([hello], { apiKey: `${secret}\n` })).rejects.toThrow(/^(?!.*sk-test)/)
})

test('only a server of this machine is asked while the manager is local', async () => {
  await using manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await expect(manager.load('chat-api', { baseUrl: 'https://api.example.com/v1' })).rejects.toMatchObject({
    code: 'CLOUD_REFUSED',
  })
  expect((await manager.canLoad('chat-api')).ok).toBe(true)
})

test('the commands tell whom it asks, and what is there', async () => {
  await using opened = await open([refusal(200, { data: [{ id: 'parrot' }, { id: 'owl' }] })])
  expect(await opened.manager.runCommand('chat-api', 'models')).toBe('parrot\nowl')
  expect(opened.server.asked[0]!.path).toBe('/v1/models')
  expect(await opened.manager.runCommand('chat-api', 'status')).toMatchObject({
    model: 'parrot',
    server: opened.server.url,
    running: 0,
  })
})
