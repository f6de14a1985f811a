import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ModuleManager } from '@enigma/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CodeGenApi } from '../../types.js'

const modules = join(import.meta.dirname, '../../../..')
const asked: { path: string; body: Record<string, unknown> }[] = []
let broken = false

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  asked.push({ path: request.url!, body: JSON.parse(body) })
  if (broken) {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end('{"error":{"message":"suffix is not currently supported"}}')
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (choice: object) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`
  response.end(`${event({ text: 'a, ' })}${event({ text: 'b', finish_reason: 'stop' })}data: [DONE]\n\n`)
})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => void server.close())

async function open() {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  await manager.load('code-gen-api', { baseUrl, model: 'coder' })
  return { manager, code: manager.getInterface<CodeGenApi>('code-gen-api') }
}

test('code goes to /completions, what follows the cursor as its suffix', async () => {
  const { manager, code } = await open()
  await using _ = manager
  expect(await code.complete('def add(', ')', { stop: ['\n'] })).toMatchObject({
    text: 'a, b',
    finishReason: 'stop',
    model: 'coder',
  })
  let text = ''
  for await (const piece of code.stream('def add(')) text += piece
  expect(text).toBe('a, b')
  expect(await manager.runCommand('code-gen-api', 'complete', { args: ['def add('], options: { suffix: ')' } })).toBe('a, b')
  expect(asked.map(({ path, body }) => [path, body.prompt, body.suffix])).toEqual([
    ['/v1/completions', 'def add(', ')'],
    ['/v1/completions', 'def add(', undefined],
    ['/v1/completions', 'def add(', ')'],
  ])
  expect(asked[0]!.body).toMatchObject({ model: 'coder', max_tokens: 128, temperature: 0.2, stop: ['\n'] })
})

test('a server that takes no suffix says so, and only servers of this machine are asked', async () => {
  const { manager, code } = await open()
  await using _ = manager
  broken = true
  await expect(code.complete('a', 'b')).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('suffix'),
  })
  await manager.unload('code-gen-api')
  await expect(manager.load('code-gen-api', { baseUrl: 'https://api.example.com/v1' })).rejects.toMatchObject({
    code: 'CLOUD_REFUSED',
  })
})
