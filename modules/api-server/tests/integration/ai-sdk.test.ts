import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, jsonSchema, Output, streamText, tool } from 'ai'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer, temporaryHome } from '../server.test.fixture.js'

let home: Awaited<ReturnType<typeof temporaryHome>>
let server: TestServer
let owl: ReturnType<ReturnType<typeof createOpenAICompatible>>
beforeAll(async () => {
  home = await temporaryHome()
  server = await startServer(home.model)
  owl = createOpenAICompatible({ name: 'enigma', baseURL: `${server.url}/v1`, supportsStructuredOutputs: true })('owl')
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const asked = { prompt: 'Hello!', temperature: 0, maxOutputTokens: 10, maxRetries: 0 }

it('the AI SDK generates and streams the same text', async () => {
  const { text, finishReason, usage } = await generateText({ model: owl, ...asked })
  expect(finishReason).toBe('length')
  expect(usage.outputTokens).toBe(10)
  let streamed = ''
  for await (const piece of streamText({ model: owl, ...asked }).textStream) streamed += piece
  expect(streamed).toBe(text)
})

it('the AI SDK gets objects of a schema', async () => {
  const schema = jsonSchema<{ fox: boolean }>({
    type: 'object',
    properties: { fox: { type: 'boolean' } },
    required: ['fox'],
    additionalProperties: false,
  })
  const { output } = await generateText({ model: owl, ...asked, maxOutputTokens: 40, output: Output.object({ schema }) })
  expect(typeof output.fox).toBe('boolean')
})

it('the AI SDK has its tools called', async () => {
  const inputSchema = jsonSchema<{ days: number }>({
    type: 'object',
    properties: { days: { type: 'integer', minimum: 1, maximum: 7 } },
    required: ['days'],
    additionalProperties: false,
  })
  const { toolCalls, finishReason } = await generateText({
    model: owl,
    ...asked,
    maxOutputTokens: 60,
    tools: { weather: tool({ inputSchema }) },
    toolChoice: 'required',
  })
  expect(finishReason).toBe('tool-calls')
  expect(toolCalls).toMatchObject([{ toolName: 'weather', input: { days: expect.any(Number) } }])
})
