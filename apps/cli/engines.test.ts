import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Place } from './enigma.test.fixture.js'

const secret = 'sk-test-0123456789abcdef'

/** llama.cpp is optional, and not there for every platform. */
const llamaThere = await import('node-llama-cpp' as string).then(
  () => true,
  () => false,
)

let place: Place
let url: string
const asked: string[] = []

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  asked.push(`${request.url} ${request.headers.authorization}`)
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"data":[{"id":"bird"}]}')
    return
  }
  const { messages } = JSON.parse(body) as { messages?: { content: string }[] }
  const said = messages ? `You said: ${messages.at(-1)!.content}` : ' there was a parrot.'
  const choices = [messages ? { delta: { content: said }, finish_reason: 'stop' } : { text: said, finish_reason: 'stop' }]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`data: ${JSON.stringify({ choices, usage: { prompt_tokens: 3, completion_tokens: 5 } })}\n\ndata: [DONE]\n\n`)
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  place = await Place.make()
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await place[Symbol.asyncDispose]()
})

test('once a server is loaded in its place, run and chat ask it, by name, and what only inference can do is refused', async () => {
  const config = JSON.stringify({ baseUrl: url, model: 'bird', apiKey: secret })
  const loaded = await place.run(['modules', 'load', 'chat-api', '--config', config])
  expect(loaded.code).toBe(0)
  const ran = await place.run(['run', 'Once'])
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('there was a parrot.') })
  expect(await place.json(['run', 'Once'])).toMatchObject({ model: 'bird', module: 'chat-api', tokens: 5, finishReason: 'stop' })
  const chatted = await place.run(['chat'], { stdin: 'Hello\n' })
  expect(chatted.stdout).toContain('You said: Hello')
  expect(asked.every((line) => line.endsWith(`Bearer ${secret}`))).toBe(true)
  expect((await place.run(['chat-api:models'])).stdout.trim()).toBe('bird')
  for (const wrong of [
    ['--beams', '2'],
    ['--top-k', '5'],
  ]) {
    const { code, stderr } = await place.run(['run', 'Once', ...wrong])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/chat-api|topK/)])
  }
  const { stdout } = await place.run(['modules', 'info', 'chat-api'])
  expect(`${loaded.stdout}${loaded.stderr}${ran.stderr}${stdout}`).not.toContain(secret)
})

describe.runIf(llamaThere)('with llama.cpp', () => {
  test('a GGUF file is run, and talked to, by its path', async () => {
    await using own = await Place.make()
    const exported = await own.run(['models', 'export', 'storyteller', '--format', 'gguf', '--type', 'f32', '--out', 'owl.gguf'])
    expect(exported.code).toBe(0)
    const settings = ['--threads', '1', '--temperature', '0', '--max-tokens', '12']
    const [there, here] = await Promise.all(
      ['owl.gguf', 'storyteller'].map((model) => own.json<object>(['run', 'The king', '--model', model, ...settings])),
    )
    expect(there).toMatchObject({ model: 'owl', module: 'gguf-loader', text: (here as { text: string }).text })
    const chatted = await own.run(['chat', 'owl.gguf', ...settings], { stdin: 'Hello!\n' })
    expect(chatted).toMatchObject({ code: 0, stdout: expect.stringMatching(/[a-z]/) })
  })
})
