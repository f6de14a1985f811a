import OpenAI, { APIError, APIUserAbortError } from 'openai'
import type { ChatCompletionChunk } from 'openai/resources'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer, temporaryHome } from '../server.test.fixture.js'

// The official client against the server, with a model of random weights behind it.

let home: Awaited<ReturnType<typeof temporaryHome>>
let server: TestServer
let client: OpenAI
beforeAll(async () => {
  home = await temporaryHome()
  server = await startServer(home.model)
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'anything', maxRetries: 0 })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const model = 'owl'
const messages = [{ role: 'user' as const, content: 'Hello!' }]
const greedy = { model, temperature: 0, max_tokens: 12 }

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of stream) list.push(item)
  return list
}
const contentOf = (chunks: readonly ChatCompletionChunk[], index = 0) =>
  chunks
    .flatMap(({ choices }) => choices.filter((choice) => choice.index === index).map(({ delta }) => delta.content ?? ''))
    .join('')

describe('chat', () => {
  it('gives the answer with its counts', async () => {
    const answer = await client.chat.completions.create({ ...greedy, messages })
    expect(answer).toMatchObject({ object: 'chat.completion', model, id: expect.stringMatching(/^chatcmpl-/) })
    expect(answer.choices).toHaveLength(1)
    expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: 'length', message: { role: 'assistant' } })
    expect(answer.usage).toMatchObject({ completion_tokens: 12, total_tokens: answer.usage!.prompt_tokens + 12 })
  })

  it('streams the same text: the role first, the reason last, the counts where they are asked for', async () => {
    const whole = await client.chat.completions.create({ ...greedy, messages })
    const chunks = await all(
      await client.chat.completions.create({ ...greedy, messages, stream: true, stream_options: { include_usage: true } }),
    )
    expect(contentOf(chunks)).toBe(whole.choices[0]!.message.content)
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.map(({ choices: [choice] }) => choice?.finish_reason ?? null).filter(Boolean)).toEqual(['length'])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  })

  it('without the question for counts tells none', async () => {
    const chunks = await all(await client.chat.completions.create({ ...greedy, messages, stream: true }))
    expect(chunks.every((chunk) => chunk.usage === undefined && chunk.choices.length === 1)).toBe(true)
  })

  it('gives n answers, at once and streamed, each of its own seed', async () => {
    const asked = { model, messages, max_tokens: 16, seed: 5, n: 3 }
    const { choices, usage } = await client.chat.completions.create(asked)
    const texts = choices.map(({ message }) => message.content)
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(new Set(texts).size).toBe(3)
    expect(usage!.completion_tokens).toBe(48)
    const chunks = await all(await client.chat.completions.create({ ...asked, stream: true }))
    expect([0, 1, 2].map((index) => contentOf(chunks, index))).toEqual(texts)
    const alone = await client.chat.completions.create({ ...asked, seed: 6, n: 1 })
    expect(alone.choices[0]!.message.content).toBe(texts[1])
  })

  it('repeats itself with the same seed', async () => {
    const ask = () => client.chat.completions.create({ model, messages, max_tokens: 16, seed: 7 })
    expect((await ask()).choices[0]!.message.content).toBe((await ask()).choices[0]!.message.content)
  })

  it('gives probabilities of the tokens and of their alternatives', async () => {
    const { choices } = await client.chat.completions.create({ ...greedy, messages, logprobs: true, top_logprobs: 3 })
    const { content } = choices[0]!.logprobs!
    expect(content).toHaveLength(12)
    for (const { logprob, top_logprobs } of content!) {
      expect(top_logprobs).toHaveLength(3)
      expect(top_logprobs[0]!.logprob).toBe(logprob)
      expect(logprob).toBeLessThanOrEqual(0)
    }
  })

  it('stops before a stop text', async () => {
    const { choices } = await client.chat.completions.create({ ...greedy, messages })
    const text = choices[0]!.message.content!
    const stop = text.slice(3, 6)
    const { choices: stopped } = await client.chat.completions.create({ ...greedy, messages, stop })
    expect(stopped[0]).toMatchObject({ finish_reason: 'stop', message: { content: text.slice(0, text.indexOf(stop)) } })
  })

  it('answers in JSON of a schema, also from a model that knows nothing', async () => {
    const schema = { type: 'object', properties: { fox: { type: 'boolean' } }, required: ['fox'], additionalProperties: false }
    const { choices } = await client.chat.completions.create({
      model,
      messages,
      max_tokens: 40,
      response_format: { type: 'json_schema', json_schema: { name: 'fox', schema } },
    })
    expect(typeof JSON.parse(choices[0]!.message.content!).fox).toBe('boolean')
  })

  it('calls a tool, at once and in deltas', async () => {
    const parameters = {
      type: 'object',
      properties: { days: { type: 'integer', minimum: 1, maximum: 7 } },
      required: ['days'],
      additionalProperties: false,
    }
    const asked = {
      model,
      messages,
      seed: 2,
      max_tokens: 60,
      tools: [{ type: 'function' as const, function: { name: 'weather', parameters } }],
      tool_choice: 'required' as const,
    }
    const { choices } = await client.chat.completions.create(asked)
    const [call] = choices[0]!.message.tool_calls!
    expect(choices[0]!.finish_reason).toBe('tool_calls')
    expect(call).toMatchObject({ type: 'function', function: { name: 'weather' } })
    if (call!.type !== 'function') throw new Error('no function')
    expect(JSON.parse(call!.function.arguments).days).toBeGreaterThan(0)

    const chunks = await all(await client.chat.completions.create({ ...asked, stream: true }))
    const deltas = chunks.flatMap(({ choices: [choice] }) => choice?.delta.tool_calls ?? [])
    expect(deltas[0]).toMatchObject({
      index: 0,
      id: expect.stringMatching(/^call_/),
      function: { name: 'weather', arguments: '' },
    })
    expect(deltas.map((delta) => delta.function?.arguments).join('')).toBe(call!.function.arguments)
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('tool_calls')

    const more = await client.chat.completions.create({
      ...asked,
      tool_choice: 'none',
      messages: [...messages, choices[0]!.message, { role: 'tool', tool_call_id: call!.id, content: 'Rain' }],
    })
    expect(more.choices[0]!.message.tool_calls).toBeUndefined()
  })

  it('takes text in parts, and refuses pictures by name', async () => {
    const parts = [
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'Hel' },
          { type: 'text' as const, text: 'lo!' },
        ],
      },
    ]
    const [a, b] = [
      await client.chat.completions.create({ ...greedy, messages: parts }),
      await client.chat.completions.create({ ...greedy, messages }),
    ]
    expect(a.choices[0]!.message.content).toBe(b.choices[0]!.message.content)
    const picture = [{ type: 'image_url' as const, image_url: { url: 'data:image/png;base64,' }, text: '' }]
    const refused = client.chat.completions.create({ ...greedy, messages: [{ role: 'user', content: picture }] })
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'unsupported_content' })
  })

  it('ends when the client aborts, and answers the next one', async () => {
    const stream = await client.chat.completions.create({ model, messages, max_tokens: 900, temperature: 0, stream: true })
    const reading = (async () => {
      for await (const _ of stream) stream.controller.abort()
    })()
    await reading.catch((error: unknown) => expect(error).toBeInstanceOf(APIUserAbortError))
    await expect.poll(() => server.api.status().pending).toBe(0)
    expect((await client.chat.completions.create({ ...greedy, messages })).choices).toHaveLength(1)
  })
})

describe('completions', () => {
  it('continue a text, several, and streamed', async () => {
    const one = await client.completions.create({ ...greedy, prompt: 'Once upon' })
    expect(one).toMatchObject({ object: 'text_completion', model })
    const two = await client.completions.create({ ...greedy, prompt: ['Once upon', 'The hare'], n: 1, echo: true })
    expect(two.choices.map(({ index }) => index)).toEqual([0, 1])
    expect(two.choices[0]!.text).toBe(`Once upon${one.choices[0]!.text}`)
    const chunks = await all(await client.completions.create({ ...greedy, prompt: 'Once upon', stream: true }))
    expect(chunks.map(({ choices: [choice] }) => choice!.text).join('')).toBe(one.choices[0]!.text)
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('length')
  })

  it('give probabilities in the old shape', async () => {
    const { choices } = await client.completions.create({ ...greedy, prompt: 'Once', logprobs: 2 })
    const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0]!.logprobs!
    expect([tokens, token_logprobs, top_logprobs, text_offset].map((list) => list!.length)).toEqual([12, 12, 12, 12])
    expect(tokens!.join('')).toBe(choices[0]!.text)
  })
})

describe('models and errors', () => {
  it('the model that answers is listed', async () => {
    const { data } = await client.models.list()
    expect(data.map(({ id }) => id)).toEqual([model])
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: 'model' })
  })

  it.each([
    ['another model', { ...greedy, model: 'gpt-5', messages }, 404, 'model_not_found', 'model'],
    ['a temperature too high', { ...greedy, temperature: 3, messages }, 400, 'invalid_request', 'temperature'],
    ['no messages', { ...greedy, messages: [] }, 400, 'invalid_request', 'messages'],
    ['an unknown role', { ...greedy, messages: [{ role: 'pope', content: '' }] }, 400, 'invalid_request', 'messages.0.role'],
    [
      'a schema that nobody meets',
      { ...greedy, messages, response_format: { type: 'json_schema', json_schema: { name: 'n', schema: false } } },
      400,
      'invalid_request',
      'response_format.json_schema.schema',
    ],
    [
      'a conversation that is too long',
      { ...greedy, max_tokens: 12, prompt: 'Once upon a time '.repeat(900) },
      413,
      'context_length_exceeded',
      null,
    ],
  ])('%s is refused with status, code and parameter', async (_, body, status, code, param) => {
    const asked = 'prompt' in body ? client.completions.create(body) : client.chat.completions.create(body as never)
    const error = await asked.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status, code, ...(param !== null && { param }) })
  })

  it('embeddings say what is missing', async () => {
    await expect(client.embeddings.create({ model, input: 'x' })).rejects.toMatchObject({ status: 501, code: 'no_provider' })
  })
})
