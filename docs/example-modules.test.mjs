// The modules beside the examples do what they say: small, but real.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, inflateSync } from 'node:zlib'
import { checkModules, ModuleManager, token } from 'enigma'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const modules = join(import.meta.dirname, 'examples', 'modules')

let folder
let manager
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-modules-'))
  manager = await ModuleManager.open({ modules: [modules], stateFolder: folder, hardware: { gpus: [] } })
})
afterEach(async () => {
  await manager.shutdown()
  rmSync(folder, { recursive: true, force: true })
})

async function loaded(id, config) {
  await manager.load(id, config)
  return manager.getInterface(id)
}

test('their manifests have nothing wrong in them', async () => {
  expect(await checkModules([modules])).toEqual([])
})

describe('image-gen-local', () => {
  const chunksOf = (png) => {
    const chunks = []
    for (let at = 8; at < png.length; ) {
      const length = png.readUInt32BE(at)
      const body = png.subarray(at + 4, at + 8 + length)
      expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body))
      chunks.push([body.toString('latin1', 0, 4), body.subarray(4)])
      at += 12 + length
    }
    return chunks
  }

  test('draws a PNG of the size asked for', async () => {
    const { bytes, mimeType } = await (await loaded('image-gen-local')).generate('a sunset', { width: 31, height: 17 })
    expect([...bytes.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
    const chunks = chunksOf(bytes)
    expect(chunks.map(([type]) => type)).toEqual(['IHDR', 'IDAT', 'IEND'])
    expect([chunks[0][1].readUInt32BE(0), chunks[0][1].readUInt32BE(4), mimeType]).toEqual([31, 17, 'image/png'])
    expect(inflateSync(chunks[1][1])).toHaveLength(17 * (1 + 31 * 3))
  })

  test('the same prompt gives the same picture, another word another one', async () => {
    const { generate } = await loaded('image-gen-local', { steps: 3 })
    const [one, two, other] = await Promise.all(['a moon', 'a moon', 'a sun'].map((prompt) => generate(prompt)))
    expect(one.bytes.equals(two.bytes)).toBe(true)
    expect(one.bytes.equals(other.bytes)).toBe(false)
  })

  test('sizes that are none are refused', async () => {
    const { generate } = await loaded('image-gen-local')
    await expect(generate('a moon', { width: 0 })).rejects.toThrow('width must be a whole number from 1 to 2048')
    await expect(generate('a moon', { height: 1e9 })).rejects.toThrow('height must be')
  })
})

describe('image-gen-api', () => {
  let server
  let answer
  let asked
  beforeEach(async () => {
    asked = []
    server = createServer((request, response) => {
      asked.push(request.headers.authorization)
      answer(response)
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const open = (config) => loaded('image-gen-api', { baseUrl: `http://127.0.0.1:${server.address().port}/v1/`, ...config })

  test('a server elsewhere is refused while the manager is local-only, one on this machine is not', async () => {
    expect(await manager.tryLoad('image-gen-api')).toMatchObject({ ok: false, reason: expect.stringContaining('local') })
    await open()
    expect(manager.listLoaded()).toEqual(['image-gen-api'])
  })

  test('gives the bytes that the server sends; without a key it sends none', async () => {
    answer = (response) => response.end(JSON.stringify({ data: [{ b64_json: 'YWJj' }] }))
    expect(String((await (await open()).generate('a moon')).bytes)).toBe('abc')
    expect(asked).toEqual([undefined])
  })

  test.each([
    ['refuses the key', (response) => response.writeHead(401).end(), 'refuses the key (401). Pass a valid { apiKey }.'],
    ['fails', (response) => response.writeHead(500).end('out of paint'), 'answered 500: out of paint'],
    ['answers something else', (response) => response.end('<html>'), 'answered without a picture: <html>'],
    ['hangs up', (response) => response.destroy(), 'cannot be reached'],
  ])('a server that %s is named in the error', async (_, reply, message) => {
    answer = reply
    await expect((await open({ apiKey: 'k' })).generate('a moon')).rejects.toThrow(message)
    expect(asked).toContain('Bearer k')
  })

  test('a request ends with the module, and at its time limit', async () => {
    let came
    const arrived = new Promise((resolve) => {
      came = resolve
    })
    answer = () => came()
    const drawing = expect((await open()).generate('a moon')).rejects.toThrow()
    await arrived
    await manager.unload('image-gen-api')
    await drawing
    await expect((await open({ timeoutMs: 30 })).generate('a moon')).rejects.toThrow('timeout')
  })
})

describe('memory', () => {
  test('what was added is there the next time', async () => {
    const path = join(folder, 'deep', 'memory.json')
    const memory = await loaded('memory', { path })
    await memory.add('today', { role: 'user', content: 'hello' })
    await Promise.all(Array.from({ length: 20 }, (_, n) => memory.add('many', { role: 'user', content: String(n) })))
    await memory.add('__proto__', { role: 'user', content: 'odd' })
    await memory.clear('today')
    await manager.unload('memory')

    const again = await loaded('memory', { path })
    expect(again.list()).toEqual(['many', '__proto__'])
    expect(again.messages('many').map(({ content }) => Number(content))).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(again.messages('never')).toEqual([])
    expect(await manager.runCommand('memory', 'list')).toEqual([
      { name: 'many', messages: 20 },
      { name: '__proto__', messages: 1 },
    ])
  })

  test('a file that is something else is refused, and left as it is', async () => {
    const path = join(folder, 'memory.json')
    for (const content of ['{"a": 1}', '{"a": [', 'null']) {
      writeFileSync(path, content)
      expect((await manager.tryLoad('memory', { path })).ok).toBe(false)
      expect(readFileSync(path, 'utf8')).toBe(content)
    }
  })
})

describe('voice-output', () => {
  test('gives a WAV file: a tone for a letter, a rest for a space', async () => {
    const { speak, engine } = await loaded('voice-output', { engine: 'tones' })
    const wav = await speak('a b')
    expect([engine, wav.toString('latin1', 0, 4), wav.toString('latin1', 8, 12)]).toEqual(['tones', 'RIFF', 'WAVE'])
    expect([wav.readUInt32LE(4), wav.readUInt32LE(40)]).toEqual([wav.length - 8, wav.length - 44])
    const third = (wav.length - 44) / 3
    const loud = [0, 1, 2].map((n) => wav.subarray(44 + n * third, 44 + (n + 1) * third).some((byte) => byte !== 0))
    expect(loud).toEqual([true, false, true])
    expect(await speak('')).toHaveLength(44)
  })

  test('speaks through espeak-ng where it is installed, and says so where it is asked for and is not', async () => {
    const { ok, reason } = await manager.tryLoad('voice-output', { engine: 'espeak' })
    if (!ok) expect(reason).toContain("espeak-ng is not installed. Install it, or set { engine: 'tones' }.")
    else expect(String((await manager.getInterface('voice-output').speak('--help')).subarray(0, 4))).toBe('RIFF')
  })
})

test('one image generator can take the place of the other; who uses it notices nothing', async () => {
  await manager.load('image-gen-local')
  const images = manager.use(token('image-generation', '1.0'))
  const before = await images.generate('a moon')
  await manager.swap('image-gen-local', 'image-gen-api', { baseUrl: 'http://127.0.0.1:9/v1' })
  await expect(images.generate('a moon')).rejects.toThrow('http://127.0.0.1:9/v1 cannot be reached')
  await manager.swap('image-gen-api', 'image-gen-local')
  expect((await images.generate('a moon')).bytes.equals(before.bytes)).toBe(true)
})
