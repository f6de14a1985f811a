import { get } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsole } from '../gui.test.fixture.js'

let server: Awaited<ReturnType<typeof startConsole>>
beforeAll(async () => {
  server = await startConsole()
})
afterAll(() => server[Symbol.asyncDispose]())

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Sends the path as it is written, and any host. */
const ask = (path: string, headers: Record<string, string> = {}, url = server.url) =>
  new Promise<Answer>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    get({ host: hostname, port, path, headers }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => {
        body += text
      })
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }))
    }).on('error', reject)
  })
const assetsOf = (page: string) => [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path!)

describe('the console', () => {
  it('is shown at the root with the token that opens /api, and is kept by nobody', async () => {
    const page = await ask('/')
    expect(page.status).toBe(200)
    expect(page.headers['cache-control']).toBe('no-store')
    expect(page.body).toContain(`<meta name="enigma-token" content="${server.token}">`)
  })

  it('its token is not given to who asks through a proxy or for another host, nor where a key is required', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'via'])
      expect((await ask('/', { [name]: 'x' })).body).not.toContain(server.token)
    const other = await ask('/', { host: 'evil.example' })
    expect([other.status, other.body.includes(server.token)]).toEqual([403, false])
    await using named = await startConsole({ allowedHosts: ['box.example'] })
    const page = await ask('/', { host: 'box.example' }, named.url)
    expect([page.status, page.body.includes('content=""')]).toEqual([200, true])
    await using strict = await startConsole({ requireKey: true })
    expect((await ask('/', {}, strict.url)).status).toBe(401)
    const known = await ask('/', { authorization: `Bearer ${strict.token}` }, strict.url)
    expect([known.status, known.body.includes(strict.token)]).toEqual([200, false])
  })

  it('has files named by what is in them, which browsers keep for good, and fits into 250 KB', async () => {
    const { body } = await ask('/')
    const paths = assetsOf(body)
    expect(paths.length).toBeGreaterThanOrEqual(3)
    let size = gzipSync(body).length
    for (const path of paths) {
      const file = await ask(path)
      expect([file.status, file.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
      size += gzipSync(file.body).length
      const again = await ask(path, { 'if-none-match': String(file.headers.etag) })
      expect([again.status, again.body]).toEqual([304, ''])
    }
    expect(size).toBeLessThanOrEqual(250 * 1024)
  })

  it('has no script and no address of another host in its page', async () => {
    const { body } = await ask('/')
    expect(body).not.toMatch(/<script(?![^>]*src=)/)
    expect(body).not.toMatch(/(?:src|href)="(?!\/)/)
  })

  it('no path leads out of its folder, and what is not there is told as the server tells it', async () => {
    const out = [
      '/../package.json',
      '/assets/../../../package.json',
      '/%2e%2e/package.json',
      '/assets/%2e%2e%2f%2e%2e%2fvite.config.ts',
    ]
    for (const path of [...out, '/index.html', '/nothing']) {
      const { status, body } = await ask(path)
      expect([path, status]).toEqual([path, 404])
      expect(JSON.parse(body)).toHaveProperty('error.message')
    }
    expect((await ask('/%')).status).toBe(400)
  })

  it('goes with its module, and the server stays', async () => {
    await using own = await startConsole()
    await own.manager.unload('gui')
    expect((await ask('/', {}, own.url)).status).toBe(404)
    expect((await ask('/health', {}, own.url)).status).toBe(200)
    await own.manager.load('gui')
    expect((await ask('/', {}, own.url)).status).toBe(200)
  })
})
