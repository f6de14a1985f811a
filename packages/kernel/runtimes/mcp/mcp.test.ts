import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterEach, describe, expect, test } from 'vitest'
import { type ApartModule, openApart } from '../../testing/apart.js'
import { openManager } from '../../testing/build.js'
import { findProgram } from '../sandbox/platform.js'
import type { Tool } from './tools.js'

// Modules in other languages, and modules elsewhere: MCP servers.

type Tools = Readonly<Record<string, Tool>>

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})
async function start(modules: readonly ApartModule[]) {
  const made = await openApart(modules, { times: { warn: 5000, grace: 50 } })
  open.push(made)
  return made
}

describe.skipIf(findProgram('python3') === undefined)('a module in Python', () => {
  const examples = join(import.meta.dirname, '../../../../../docs/examples/modules')

  test('is loaded, called, configured and unloaded as any other', async () => {
    expect(existsSync(examples)).toBe(true)
    const manager = await openManager({ modules: [examples] })
    open.push({ close: () => manager.shutdown() })
    await manager.load('word-count-py', { lowercase: false })
    const api = manager.getInterface<Tools>('word-count-py')
    expect(Object.keys(api).sort()).toEqual(['count', 'most_common'])
    expect(await api.count!({ text: 'To be or not to be' })).toEqual({ words: 6 })
    expect(await api.most_common!({ text: 'to be or not to be To' })).toMatchObject({
      words: expect.arrayContaining([{ word: 'To', count: 1 }]),
    })
    await expect(api.count!({ text: 1 })).rejects.toThrow("'text' must be a string")
    expect(await manager.health('word-count-py')).toEqual({ 'word-count-py': { status: 'healthy', message: 'lowercase: False' } })
    await manager.unload('word-count-py')
    expect(() => api.count!({ text: '' })).toThrow(expect.objectContaining({ code: 'SERVICE_GONE' }))
  })

  const python = (code: string, manifest = {}): ApartModule => ({
    manifest: { id: 'snake', runtime: 'process', entry: './main.py', ...manifest },
    files: { 'main.py': code },
  })
  const server = (calls: string, more = '') => `
import json, sys, time
def send(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
tools = ["go", "grow"]
for line in sys.stdin:
    message = json.loads(line)
    method, params = message["method"], message.get("params", {})
    if method == "initialize":
        send({"id": message["id"], "result": {"protocolVersion": params["protocolVersion"], "serverInfo": {"name": "x", "version": "1"},
            "capabilities": {"tools": {"listChanged": True}, "logging": {}}}})
    elif method == "tools/list":
        send({"id": message["id"], "result": {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in tools]}})
    elif method == "tools/call":
        name = params["name"]
${calls.replaceAll(/^/gm, '        ')}
        send({"id": message["id"], "result": {"content": [{"type": "text", "text": name}]}})
    elif "id" in message:
        send({"id": message["id"], "result": {}})
${more.replaceAll(/^/gm, '    ')}
`

  test('logs what it says and prints, and its tools may change', async () => {
    const code = server(`print("printed", flush=True)
print("complained", file=sys.stderr, flush=True)
send({"method": "notifications/message", "params": {"level": "warning", "data": "careful"}})
if name == "grow":
    tools[:] = ["go", "new"]
    send({"method": "notifications/tools/list_changed"})`)
    const { manager, logs } = await start([python(code, { provides: ['snake-charming'] })])
    await manager.load('snake')
    const api = manager.getInterface<Tools>('snake')
    expect(await api.go!()).toBe('go')
    await expect.poll(() => [...logs].sort()).toEqual(['info printed', 'warn careful', 'warn complained'])
    await api.grow!()
    await expect.poll(() => Object.keys(manager.getInterface<Tools>('snake')).sort()).toEqual(['go', 'new'])
    expect(await manager.getInterface<Tools>('snake').new!()).toBe('new')
  })

  test('that ends while it runs fails by name, with what it said last', async () => {
    const { manager } = await start([python(server('raise Exception("no more")'))])
    await manager.load('snake')
    const failed = new Promise<{ message: string }>((resolve) => manager.events.on('module.error', resolve))
    const call = manager.getInterface<Tools>('snake').go!()
    await expect(call).rejects.toMatchObject({ code: 'SERVICE_GONE' })
    expect((await failed).message).toMatch(/exit code 1; it said: .*Exception: no more/)
    expect(manager.ledger).toEqual([])
  })

  test('that cannot run, or never answers, fails to load by name', async () => {
    for (const [code, reason] of [
      ['import sys; sys.exit("not today")', /not today/],
      ['import time; time.sleep(1000)', /did not load in 800 ms/],
      ['print("hello")', /ended with exit code 0/],
    ] as const) {
      const { manager } = await start([python(code, { lifecycle: { loadTimeout: '800ms' } })])
      await expect(manager.load('snake')).rejects.toMatchObject({ module: 'snake', message: expect.stringMatching(reason) })
      expect(manager.getModule('snake').stuck).toBe(false)
    }
  })

  test('an aborted call tells the server, and rejects', async () => {
    const { manager } = await start([python(server('time.sleep(0.05)'))])
    await manager.load('snake')
    const controller = new AbortController()
    const call = manager.getInterface<Tools>('snake').go!({}, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(await manager.getInterface<Tools>('snake').go!()).toBe('go')
  })
})

describe('a remote module', () => {
  async function serve(): Promise<{ url: string; http: Server }> {
    const http = createServer(async (request, response) => {
      const server = new McpServer({ name: 'adder', version: '1.0.0' })
      server.registerTool('answer', {}, () => ({ content: [{ type: 'text', text: 'forty-two' }] }))
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
      response.on('close', () => void server.close())
      await server.connect(transport as Transport)
      await transport.handleRequest(request, response)
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, http }
  }

  test('is reached over HTTP, and fails by name once it is gone', async () => {
    const { url, http } = await serve()
    const { manager } = await start([
      { manifest: { id: 'far', runtime: 'remote', entry: url, lifecycle: { loadTimeout: '5s' } }, files: {} },
    ])
    await manager.load('far')
    expect(await manager.getInterface<Tools>('far').answer!()).toBe('forty-two')
    await manager.unload('far')
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
    await expect(manager.load('far')).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('beyond this machine is refused while the manager is local-only', async () => {
    const { manager } = await start([{ manifest: { id: 'far', runtime: 'remote', entry: 'https://example.com/mcp' }, files: {} }])
    await expect(manager.load('far')).rejects.toMatchObject({ code: 'CLOUD_REFUSED' })
  })

  test('whose entry is no URL is refused', async () => {
    const { manager } = await start([{ manifest: { id: 'far', runtime: 'remote', entry: './x.js', cloud: false }, files: {} }])
    await expect(manager.load('far')).rejects.toMatchObject({ code: expect.stringMatching(/BAD_MODULE|CLOUD_REFUSED/) })
  })
})
