import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defineModule, exportModel, ModuleManager, TextGeneration } from './index.js'
import { saveTinyModel, temporaryFolder } from './tiny-model.test.fixture.js'

/** llama.cpp is optional, and not there for every platform. */
const llamaThere = await import('node-llama-cpp' as string).then(
  () => true,
  () => false,
)

let root: Awaited<ReturnType<typeof temporaryFolder>>
let folder: string
let gguf: string

/** A server that always says the same. */
const server = createServer((_, response) => {
  const choices = [{ text: 'parrot', finish_reason: 'stop' }]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`data: ${JSON.stringify({ choices })}\n\ndata: [DONE]\n\n`)
})

beforeAll(async () => {
  root = await temporaryFolder()
  folder = join(root.path, 'owl')
  gguf = join(root.path, 'owl.gguf')
  await saveTinyModel(folder)
  await exportModel(folder, gguf, { format: 'gguf', type: 'f32' })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await root[Symbol.asyncDispose]()
})

/** Somebody who needs text, and does not care from where. */
const writer = {
  manifest: { id: 'writer', version: '1.0.0', requires: ['text-generation@^1'] },
  module: defineModule({
    load(ctx) {
      const text = ctx.use(TextGeneration)
      const options = { temperature: 0, maxTokens: 8 }
      return {
        whole: () => text.generate('Once upon a time', options),
        async streamed() {
          const stream = text.stream('Once upon a time', options)
          let whole = ''
          for await (const piece of stream) whole += piece
          const { text: said, model } = await stream.result
          return whole === said ? `${model}: ${said}` : 'two texts'
        },
      }
    },
  }),
}

test('whoever holds the capability notices no difference while its engine is swapped under their calls', async () => {
  await using manager = await ModuleManager.open({ hardware: { gpus: [] } })
  manager.register(writer)
  await manager.load('model', { model: folder })
  await manager.load('inference', { threads: 1 })
  await manager.load('writer')
  const held = manager.getInterface<{ whole(): Promise<string>; streamed(): Promise<string> }>('writer')
  const ours = await held.whole()
  const { port } = server.address() as AddressInfo
  const chain: [string, object][] = [
    ...(llamaThere ? [['gguf-loader', { model: gguf, cacheType: 'f32', threads: 1 }] as [string, object]] : []),
    ['chat-api', { baseUrl: `http://127.0.0.1:${port}/v1`, model: 'bird' }],
    ['inference', { threads: 1 }],
  ]
  const answers = new Set<string>()
  let [from, calls] = ['inference', 0]
  for (const [to, config] of chain) {
    let swapped = false
    const swapping = manager.swap(from, to, config as Record<string, unknown>).then(() => {
      swapped = true
    })
    // Calls before, while, and after: none may fail.
    while (!swapped) {
      for (const text of await Promise.all([held.whole(), held.streamed()])) answers.add(text)
      calls++
    }
    await swapping
    from = to
    answers.add(await held.streamed())
    expect(await held.whole()).toBe(to === 'chat-api' ? 'parrot' : ours)
  }
  expect(answers).toEqual(new Set([ours, `owl: ${ours}`, 'parrot', 'bird: parrot']))
  expect(calls).toBeGreaterThan(2)
})
