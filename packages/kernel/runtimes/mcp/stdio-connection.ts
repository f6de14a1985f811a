import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { entryPath } from '../../discovery/entry.js'
import type { Manifest } from '../../manifest/manifest.js'
import type { Output } from '../host/link.js'
import { type Subprocess, startCommand } from '../host/process.js'
import { interpreterOf } from '../sandbox/languages.js'
import type { Platform } from '../sandbox/platform.js'
import { lineReader } from '../wire/channel.js'
import type { Connect } from './connection.js'

/** Longer messages end the server: 64 MiB. */
const maxMessage = 64 * 2 ** 20

/** Starts a program in any language, confined as other modules are, that speaks MCP over standard input and output. */
export function stdioConnection(manifest: Manifest, folder: string, data: string, platform: Platform): Connect {
  return async (output) => {
    const path = entryPath(manifest.id, folder, manifest.entry)
    const command = [...(interpreterOf(path) ?? []), path]
    const process = await startCommand(manifest, folder, data, platform, command, output)
    process.pipe.destroy()
    return {
      transport: new StdioTransport(process, output),
      label: `process ${process.child.pid}`,
      ended: process.ended,
      bye: async () => undefined,
      kill: process.kill,
    }
  }
}

class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #process: Subprocess
  readonly #output: Output

  constructor(process: Subprocess, output: Output) {
    this.#process = process
    this.#output = output
  }

  async start(): Promise<void> {
    const { stdout, ended } = this.#process
    const read = lineReader(
      maxMessage,
      (line) => this.#take(line),
      () => {
        this.#output('stderr', `a message is longer than ${maxMessage} bytes`)
        this.#process.kill()
      },
    )
    stdout.on('data', read)
    stdout.on('error', () => undefined)
    void ended.then(() => this.onclose?.())
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.#process
    if (!stdin.write(`${JSON.stringify(message)}\n`))
      await new Promise((resolve) => stdin.once('drain', resolve).once('close', resolve))
  }

  /** As the protocol has it: the end of its input tells a server to go. */
  async close(): Promise<void> {
    this.#process.stdin.end()
  }

  // Programs print; what is no message is output like any other.
  #take(line: string): void {
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      this.#output('stdout', line)
      return
    }
    if (typeof message === 'object' && message !== null && 'jsonrpc' in message) this.onmessage?.(message as JSONRPCMessage)
    else this.#output('stdout', line)
  }
}
