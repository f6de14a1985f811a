import type { Readable, Writable } from 'node:stream'
import type { MessagePort, Worker } from 'node:worker_threads'
import { ModuleError, messageOf } from '../../errors.js'

/** Carries whole messages, in order, between two sides. */
export interface Channel {
  readonly bytes: 'base64' | 'native'
  /** Called once. After `closed` nothing is received any more. */
  open(receive: (message: unknown) => void, closed: (error?: Error) => void): void
  send(message: object): void
  close(): void
}

/** Longer lines end the connection: what the other side sends must not fill our memory. 64 MiB carry 48 MiB of bytes. */
const maxLine = 64 * 2 ** 20
const newline = 10

/** One JSON text per line. What is no JSON, and a line without end, closes the channel. */
export function lineChannel(input: Readable, output: Writable, limit = maxLine): Channel {
  let ended = false
  let report: ((error?: Error) => void) | undefined
  const end = (error?: Error) => {
    if (ended) return
    ended = true
    input.destroy()
    output.end()
    report?.(error)
  }
  return {
    bytes: 'base64',
    open(receive, closed) {
      report = closed
      const take = (line: string) => {
        let message: unknown
        try {
          message = JSON.parse(line)
        } catch (error) {
          return end(new ModuleError('BAD_MESSAGE', `A message is not JSON (${messageOf(error)}): ${line.slice(0, 80)}`))
        }
        receive(message)
      }
      const lines = lineReader(limit, take, () =>
        end(new ModuleError('BAD_MESSAGE', `A message is longer than ${limit} bytes. Send less at once, or a stream.`)),
      )
      input.on('data', (chunk: Buffer) => {
        if (!ended) lines(chunk)
      })
      input.on('end', () => end())
      input.on('close', () => end())
      // A broken pipe is an end like another: how the other side ended says why.
      input.on('error', () => end())
      output.on('error', () => end())
    },
    send(message) {
      if (!ended) output.write(`${JSON.stringify(message)}\n`)
    },
    close: () => end(),
  }
}

/** Cuts chunks into lines. `tooLong` is called, and the line dropped, when one grows past `limit` bytes. */
export function lineReader(
  limit: number,
  take: (line: string) => void,
  tooLong: (start: string) => void,
): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let size = 0
  let skipping = false
  return (chunk) => {
    let from = 0
    for (;;) {
      const at = chunk.indexOf(newline, from)
      const rest = chunk.subarray(from, at < 0 ? chunk.length : at)
      if (!skipping) {
        parts.push(rest)
        size += rest.length
      }
      if (size > limit) {
        const start = Buffer.concat(parts).toString('utf8', 0, Math.min(size, 4096))
        parts = []
        size = 0
        skipping = true
        tooLong(start)
      }
      if (at < 0) return
      if (!skipping) {
        const line = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString('utf8')
        if (line !== '' && line !== '\r') take(line)
      }
      parts = []
      size = 0
      skipping = false
      from = at + 1
    }
  }
}

/** Messages as structured clones, between threads. */
export function portChannel(port: Worker | MessagePort): Channel {
  let ended = false
  let report: ((error?: Error) => void) | undefined
  const end = () => {
    if (ended) return
    ended = true
    if ('close' in port) port.close()
    report?.()
  }
  return {
    bytes: 'native',
    open(receive, closed) {
      report = closed
      port.on('message', (message: unknown) => {
        if (!ended) receive(message)
      })
      port.on('close', end)
      port.on('exit', end)
    },
    send(message) {
      if (!ended) port.postMessage(message)
    },
    close: end,
  }
}
