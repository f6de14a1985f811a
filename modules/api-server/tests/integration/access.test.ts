import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeyStore } from '../../keys/key-store.js'
import { errorOf, startServer, type TestServer, temporaryHome } from '../server.test.fixture.js'

let home: Awaited<ReturnType<typeof temporaryHome>>
let server: TestServer
const keys = () => new KeyStore()
beforeAll(async () => {
  home = await temporaryHome()
  server = await startServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** Sends what fetch would not. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (data) => {
      answer += data
      if (answer.includes('\r\n\r\n')) socket.destroy()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
const portOf = (url: string) => Number(new URL(url).port)

describe('who may ask', () => {
  it('on loopback models are open, whatever key a client sends, and /api needs the token of the run file', async () => {
    expect((await server.fetch('/v1/models', { as: 'sk-anything' })).status).toBe(200)
    expect((await server.fetch('/api/modules')).status).toBe(401)
    expect((await server.fetch('/api/modules', { as: 'wrong' })).status).toBe(401)
    expect((await server.fetch('/api/modules', { as: server.token })).status).toBe(200)
  })

  it('a key of ours must be right, counts at once, and no more when it is revoked', async () => {
    expect((await server.fetch('/v1/models', { as: 'enigma-wrong' })).status).toBe(401)
    const { key, id } = await keys().create('laptop', ['inference'])
    expect((await server.fetch('/v1/models', { as: key })).status).toBe(200)
    const forbidden = await server.fetch('/api/modules', { as: key })
    expect(forbidden.status).toBe(403)
    expect((await errorOf(forbidden)).code).toBe('scope_missing')
    const admin = await keys().create('desk', ['inference', 'admin'])
    expect((await server.fetch('/api/modules', { as: admin.key })).status).toBe(200)
    expect(await keys().revoke(id)).toBe(true)
    const refused = await server.fetch('/v1/models', { as: key })
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ error: { type: 'authentication_error', code: 'invalid_api_key' } })
  })

  it('of a key only its hash is kept', async () => {
    const { key } = await keys().create('secret', ['inference'])
    const listed = await keys().list()
    expect(JSON.stringify(listed)).not.toContain(key)
    const { readFile, stat } = await import('node:fs/promises')
    expect(await readFile(keys().path, 'utf8')).not.toContain(key.slice('enigma-'.length))
    expect((await stat(keys().path)).mode & 0o077).toBe(0)
  })

  it('where a key is required, a request without one is told so', async () => {
    await using strict = await startServer(undefined, { requireKey: true })
    const answer = await strict.fetch('/v1/models')
    expect(answer.status).toBe(401)
    expect((await errorOf(answer)).code).toBe('missing_api_key')
    const { key } = await keys().create('strict', ['inference'])
    expect((await strict.fetch('/v1/models', { as: key })).status).toBe(200)
    expect((await strict.fetch('/health')).status).toBe(200)
  })
})

describe('from where', () => {
  it('a request for another host is refused: a page may have let its name lead here', async () => {
    const answer = await raw(portOf(server.url), 'GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 403/)
    expect(answer).toContain('host_refused')
    expect(await raw(portOf(server.url), 'GET /v1/models HTTP/1.1\r\nHost: localhost:1\r\n\r\n')).toMatch(/^HTTP\/1.1 200/)
  })

  it('pages of other origins are refused unless they are allowed', async () => {
    const origin = 'https://page.example'
    const refused = await server.fetch('/v1/models', { headers: { origin } })
    expect(refused.status).toBe(403)
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    await using friendly = await startServer(undefined, { allowedOrigins: [origin] })
    const allowed = await friendly.fetch('/v1/models', { headers: { origin } })
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin)
    const asked = await friendly.fetch('/v1/chat/completions', { method: 'OPTIONS', headers: { origin } })
    expect([asked.status, asked.headers.get('access-control-allow-methods')]).toEqual([204, expect.stringContaining('POST')])
  })

  it('an address that other machines reach needs a key, and the server says so before it listens', async () => {
    const { rm } = await import('node:fs/promises')
    await rm(keys().path, { force: true })
    await expect(startServer(undefined, { host: '0.0.0.0' })).rejects.toThrow(/no API key.*enigma keys create/)
    await keys().create('lan', ['inference'])
    await expect(startServer(undefined, { host: '0.0.0.0', requireKey: false })).rejects.toThrow(/requireKey/)
    await using lan = await startServer(undefined, { host: '0.0.0.0' })
    expect((await fetch(`http://127.0.0.1:${portOf(lan.url)}/v1/models`)).status).toBe(401)
  })

  it('too many requests of one client are told when to come again', async () => {
    await using limited = await startServer(undefined, { rateLimit: 2 })
    await limited.fetch('/v1/models')
    await limited.fetch('/v1/models')
    const refused = await limited.fetch('/v1/models')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await errorOf(refused)).type).toBe('rate_limit_error')
  })
})
