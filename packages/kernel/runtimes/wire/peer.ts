import { messageOf } from '../../errors.js'
import type { Channel } from './channel.js'
import { Message, type Wire } from './message.js'
import { Signals } from './signals.js'
import { GivenStreams } from './streams.js'
import { badMessage, decode, encode } from './values.js'

export type Params = Readonly<Record<string, unknown>>

/** What one side answers, by method. Parameters are decoded and unchecked: they come from the other side. */
export type Handlers = Readonly<Record<string, (params: Params) => unknown>>

interface Pending {
  readonly message: Message
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** JSON-RPC's codes: an error of the application, and a method nobody answers. */
const applicationError = -32000
const methodNotFound = -32601

/** One side of a JSON-RPC 2.0 connection; both sides are alike. */
export class Peer {
  readonly #channel: Channel
  readonly #handlers: Handlers
  readonly #onClose: (error: Error | undefined) => void
  readonly #pending = new Map<number, Pending>()
  readonly #wire: Wire
  #next = 1
  #gone: (() => Error) | undefined

  /** `onClose` is called when the other side ends, or breaks the protocol (then with the error). Answer it with `close`. */
  constructor(channel: Channel, handlers: Handlers, onClose: (error: Error | undefined) => void) {
    this.#channel = channel
    this.#onClose = onClose
    const streams = new GivenStreams()
    const signals = new Signals((params) => this.notify('$/abort', params))
    this.#wire = { bytes: channel.bytes, streams, signals, request: (method, params) => this.request(method, params) }
    this.#handlers = {
      ...handlers,
      '$/next': ({ stream }) => streams.pull(Number(stream)),
      '$/return': ({ stream }) => streams.drop(Number(stream)),
      '$/abort': ({ signal, reason }) => signals.abort(Number(signal), String(reason)),
    }
    channel.open(
      (message) => this.#receive(message),
      (error) => this.#onClose(error),
    )
  }

  /** @throws what the other side threw; what `close` was given, once closed; ModuleError `NOT_TRANSFERABLE` */
  async request(method: string, params: Params = {}): Promise<unknown> {
    if (this.#gone) throw this.#gone()
    const id = this.#next++
    const message = new Message(this.#wire)
    try {
      const encoded = encode(params, message)
      const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { message, resolve, reject }))
      this.#channel.send({ jsonrpc: '2.0', id, method, params: encoded })
      return await answer
    } finally {
      message.settle()
    }
  }

  notify(method: string, params: Params = {}): void {
    if (this.#gone) return
    const message = new Message(this.#wire)
    this.#channel.send({ jsonrpc: '2.0', method, params: encode(params, message) })
    message.settle()
  }

  /** Calls under way and later ones fail with `gone()`; streams end, and signals passed to this side abort. */
  close(gone: () => Error): void {
    if (this.#gone) return
    this.#gone = gone
    this.#channel.close()
    for (const { reject } of this.#pending.values()) reject(gone())
    this.#pending.clear()
    this.#wire.streams.close()
    this.#wire.signals.close(gone())
  }

  #receive(message: unknown): void {
    if (this.#gone) return
    if (typeof message !== 'object' || message === null) {
      this.#onClose(badMessage('a message that is no object'))
      return
    }
    const { id, method, params, result, error } = message as Record<string, unknown>
    if (typeof method === 'string') void this.#serve(id, method, params)
    else this.#settle(id, result, error)
  }

  #settle(id: unknown, result: unknown, error: unknown): void {
    const pending = this.#pending.get(id as number)
    if (pending === undefined) return
    this.#pending.delete(id as number)
    try {
      if (error === undefined) pending.resolve(decode(result, pending.message))
      else pending.reject(this.#thrown(error, pending.message))
    } catch (broken) {
      pending.reject(broken)
    }
  }

  #thrown(error: unknown, message: Message): unknown {
    const { message: text, data } = (error ?? {}) as { message?: unknown; data?: unknown }
    return data === undefined ? new Error(String(text)) : decode(data, message)
  }

  async #serve(id: unknown, method: string, params: unknown): Promise<void> {
    const message = new Message(this.#wire)
    try {
      const decoded = decode(params ?? {}, message)
      if (typeof decoded !== 'object' || decoded === null) throw badMessage('parameters that are no object')
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
      if (handler === undefined) {
        this.#fail(id, methodNotFound, new Error(`No method '${method.slice(0, 100)}'`))
        return
      }
      const value = await handler(decoded as Params)
      if (id !== undefined && !this.#gone) this.#channel.send({ jsonrpc: '2.0', id, result: encode(value, message) })
    } catch (error) {
      this.#fail(id, applicationError, error)
    } finally {
      message.settle()
    }
  }

  #fail(id: unknown, code: number, error: unknown): void {
    if (this.#gone || id === undefined) return
    let data: unknown
    try {
      data = encode(error, new Message(this.#wire))
    } catch {
      data = encode(new Error(messageOf(error)), new Message(this.#wire))
    }
    this.#channel.send({ jsonrpc: '2.0', id, error: { code, message: messageOf(error), data } })
  }
}
