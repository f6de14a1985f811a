import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Question {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

/** One scripted answer. */
export type Reply = (response: ServerResponse, question: Question) => unknown

/** A real HTTP server on this machine that gives the replies one after another, the last one for ever. */
export async function scriptedServer(...replies: Reply[]) {
  const asked: Question[] = []
  let closed = 0
  let onClosed: (() => void) | undefined
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const question = { path: request.url!, headers: request.headers, body: text === '' ? {} : JSON.parse(text) }
    asked.push(question)
    response.on('close', () => {
      if (!response.writableFinished) closed++
      onClosed?.()
    })
    await replies[Math.min(asked.length, replies.length) - 1]!(response, question)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    /** Connections that ended before their answer did. */
    get brokenOff() {
      return closed
    },
    /** Resolves when an answer's connection ends. */
    whenClosed: () => new Promise<void>((resolve) => (onClosed = resolve)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const stream = { 'content-type': 'text/event-stream' }
export const event = (data: unknown) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
export const delta = (content: string) => event({ choices: [{ delta: { content } }] })
export const textPiece = (text: string) => event({ choices: [{ text }] })
export const finish = (reason = 'stop') => event({ choices: [{ delta: {}, finish_reason: reason }] })
export const usage = (prompt_tokens: number, completion_tokens: number) =>
  event({ choices: [], usage: { prompt_tokens, completion_tokens } })
export const done = event('[DONE]')

/** These events, and the end. */
export function events(...parts: string[]): Reply {
  return (response) => response.writeHead(200, stream).end(parts.join(''))
}

/** These events, and then nothing, with the connection open. */
export function begun(...parts: string[]): Reply {
  return (response) => response.writeHead(200, stream).write(parts.join(''))
}

/** The bytes of these events one by one, each in a packet of its own. */
export function byteByByte(...parts: string[]): Reply {
  return async (response) => {
    response.writeHead(200, stream)
    response.socket!.setNoDelay(true)
    for (const byte of Buffer.from(parts.join(''))) {
      response.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  }
}

/** These events, and then the connection dies. */
export function torn(...parts: string[]): Reply {
  return (response) => {
    response.writeHead(200, stream).write(parts.join(''), () => response.socket!.destroy())
  }
}

export function refusal(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
