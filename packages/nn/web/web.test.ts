import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lossCurve } from './loss-curve.js'

const executable = process.env.CHROMIUM ?? '/usr/bin/chromium'
const missing = !existsSync(executable)
if (missing && process.env.ENIGMA_FORBID_SKIPS)
  throw new Error(`No browser at ${executable}: install Debian's chromium, or name one in CHROMIUM.`)

const modules = createRequire(import.meta.url)
const ortFolder = join(modules.resolve('onnxruntime-web/wasm'), '..')
const kernels = modules.resolve('@enigma/tensor/kernels.wasm')

let folder: string
let server: Server
let browser: Browser | undefined
const types: Readonly<Record<string, string>> = {
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

/** Bundles the page as its author would: the package's browser conditions choose what is in it. */
async function bundle(): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('./page.js', import.meta.url))],
    outfile: join(folder, 'page.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    logLevel: 'silent',
  })
  return Object.keys(metafile.inputs)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-web-'))
  server = createServer(async (request, response) => {
    const name = new URL(request.url!, 'http://localhost').pathname
    const page = '<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>'
    const file = name === '/page.js' ? join(folder, 'page.js') : name === '/kernels.wasm' ? kernels : join(ortFolder, name)
    const body = name === '/' ? page : await readFile(file).catch(() => undefined)
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': types[extname(name)] ?? 'text/html' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await browser?.close()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

describe('in a browser', () => {
  it('no module of Node is in the bundle', async () => {
    const inputs = await bundle()
    expect(inputs.filter((path) => /koffi|onnxruntime-node|native|worker-pool|durable/.test(path))).toEqual([])
    expect(inputs.some((path) => path.endsWith('runtime/web.js'))).toBe(true)
  })

  it.skipIf(missing)('a network learns as under Node: the same losses within 1e-4 (Chromium)', async () => {
    await bundle()
    browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] })
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    const finished = new Promise<{ losses?: number[]; prediction?: number[]; exported?: number; error?: string }>((resolve) => {
      void page
        .exposeFunction('finished', resolve)
        .then(() => page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
    })
    const [there, here] = await Promise.all([finished, lossCurve()])
    expect([there.error, errors]).toEqual([undefined, []])
    expect(there.exported).toBeGreaterThan(100)
    expect(here.losses.at(-1)!).toBeLessThan(here.losses[0]! / 2)
    here.losses.forEach((loss, index) => {
      expect(Math.abs(there.losses![index]! - loss)).toBeLessThan(1e-4)
    })
    here.prediction.forEach((value, index) => {
      expect(Math.abs(there.prediction![index]! - value)).toBeLessThan(1e-3)
    })
  })
})
