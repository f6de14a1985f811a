import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer, temporaryHome } from '../server.test.fixture.js'

let home: Awaited<ReturnType<typeof temporaryHome>>
let server: TestServer
beforeAll(async () => {
  home = await temporaryHome()
  server = await startServer(home.model)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** What `JSON.parse` gives. */
type Json = ReturnType<typeof JSON.parse>

const get = async (path: string) => {
  const answer = await server.fetch(path, { as: server.token })
  return { status: answer.status, body: (await answer.json()) as Json }
}
const post = async (path: string, json: unknown = {}) => {
  const answer = await server.fetch(path, { as: server.token, json })
  return { status: answer.status, body: (await answer.json()) as Json }
}

it('modules are listed, shown, loaded and unloaded', async () => {
  const { body } = await get('/api/modules')
  expect(body.modules.find(({ id }: { id: string }) => id === 'inference')).toMatchObject({ state: 'active' })
  expect((await post('/api/modules/heartbeat/load', { config: { interval: '5s' } })).body).toMatchObject({
    loaded: ['heartbeat'],
    module: { state: 'active', config: { interval: '5s' } },
  })
  expect((await get('/api/modules/heartbeat')).body).toMatchObject({ id: 'heartbeat', state: 'active', error: null })
  expect((await post('/api/modules/heartbeat/configure', { config: { interval: '7s' } })).body.module.config.interval).toBe('7s')
  expect((await post('/api/modules/heartbeat/unload')).body.module.state).not.toBe('active')
})

it('a refusal has a code, a reason and the modules in question', async () => {
  const refused = await post('/api/modules/tokenizer/unload')
  expect(refused.status).toBe(409)
  expect(refused.body.error).toMatchObject({
    code: 'required_by',
    modules: ['inference'],
    message: expect.stringContaining('inference'),
  })
  expect((await get('/api/modules/nothing')).status).toBe(404)
  expect((await post('/api/modules/heartbeat/load', { config: { interval: 'soon' } })).status).toBe(400)
  expect((await get('/api/modules/heartbeat/can-load')).body).toMatchObject({ ok: true, plan: ['heartbeat'] })
})

it('the machine, the ledger, the graph and the timeline are told', async () => {
  expect((await get('/api/hardware')).body).toMatchObject({ cpuCores: expect.any(Number) })
  expect((await get('/api/resources')).body.ledger.length).toBeGreaterThan(0)
  expect((await get('/api/graph')).body).toHaveProperty('edges')
  expect((await get('/api/timeline')).status).toBe(200)
  expect((await get('/api/health')).body.inference).toMatchObject({ status: 'healthy' })
})

it('events come as they happen, of the pattern that was asked for', async () => {
  const controller = new AbortController()
  const answer = await server.fetch('/api/events?pattern=module.*', { as: server.token, signal: controller.signal })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  await reader.read()
  await post('/api/modules/heartbeat/load')
  let text = ''
  while (!text.includes('module.loaded')) text += (await reader.read()).value
  const events = text
    .trim()
    .split('\n\n')
    .map((event) => JSON.parse(event.split('data: ')[1]!))
  expect(events).toContainEqual({
    name: 'module.loaded',
    payload: { id: 'heartbeat', ms: expect.any(Number) },
    time: expect.any(Number),
  })
  controller.abort()
  await post('/api/modules/heartbeat/unload')
})

it('a training runs, tells of itself, and is listed', async () => {
  const missing = await get('/api/training')
  expect([missing.status, missing.body.error.message]).toEqual([503, expect.stringContaining("'training'")])
  await post('/api/modules/training/load')
  const data = join(home.path, 'text.txt')
  await writeFile(data, 'Once upon a time there was a hare who ran. '.repeat(400))
  const out = join(home.path, 'trained')
  const started = await post('/api/training', { data: [data], out, size: 'nano', steps: 3, batch: 2, settings: { sequence: 32 } })
  expect(started.status).toBe(202)
  const { id } = started.body
  await expect.poll(async () => (await get(`/api/training/${id}`)).body.state, { timeout: 40_000, interval: 200 }).toBe('done')
  expect((await get('/api/training')).body.jobs).toMatchObject([{ id, out, step: 3, state: 'done' }])
  expect((await post('/api/training', { out })).status).toBe(400)
  expect((await get('/api/training/none')).status).toBe(404)
})

it('the routes are described by a document that names them all', async () => {
  const { body } = await get('/openapi.json')
  expect(body.openapi).toBe('3.1.0')
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/v1/chat/completions', '/api/modules/{id}/load', '/api/events', '/generate']),
  )
})

it('the seed documents’ routes answer', async () => {
  expect((await post('/generate', { prompt: 'Once', max_gen: 4, temperature: 0 })).body).toEqual({ text: expect.any(String) })
  expect((await get('/info')).body).toMatchObject({ model: 'owl' })
})

it('requests are counted where metrics are collected', async () => {
  expect((await get('/metrics').catch(() => ({ status: 503 }))).status).toBe(503)
  await post('/api/modules/metrics-collector/load')
  await get('/info')
  const text = await (await server.fetch('/metrics')).text()
  expect(text).toMatch(/http_requests_total\{method="GET",route="\/info",status="200"\} 1/)
})
