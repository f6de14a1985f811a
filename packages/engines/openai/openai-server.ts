import { setTimeout as pause } from 'node:timers/promises'
import { EngineError } from '../engine-error.js'
import { eventData } from './event-stream.js'
import { retryPause } from './retry.js'
import { complaintIn, complaintOf, serverError } from './server-error.js'
import { Watch } from './watch.js'

export interface OpenAiServerOptions {
  /** Up to what comes before `/chat/completions`: `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string
  /** Sent to that server alone, and never shown. */
  readonly apiKey?: string | undefined
  /** How long nothing may come before the server is given up, ms. */
  readonly timeout: number
  /** How often a request is repeated that the server was too busy for. */
  readonly retries: number
}

/** Bytes of an answer that is not streamed, at most. */
const longestAnswer = 16 * 2 ** 20

/** A server that speaks OpenAI's HTTP interface. */
export class OpenAiServer {
  /** For messages: where it is, without what may be secret in an address. */
  readonly name: string
  readonly #options: OpenAiServerOptions

  /** @throws EngineError INVALID_OPTION */
  constructor(options: OpenAiServerOptions) {
    if (!URL.canParse(options.baseUrl) || !/^https?:$/.test(new URL(options.baseUrl).protocol))
      throw new EngineError('INVALID_OPTION', 'baseUrl must be an http or https address, such as http://127.0.0.1:11434/v1')
    const { origin, pathname, username, password, search } = new URL(options.baseUrl)
    if (username || password || search)
      throw new EngineError('INVALID_OPTION', 'baseUrl must hold no name, password or query; give a key as apiKey')
    // Else fetch would refuse it with a message that shows it.
    if (!/^[\x21-\x7e]*$/.test(options.apiKey ?? ''))
      throw new EngineError('INVALID_OPTION', 'apiKey must be letters, digits and signs, without spaces or line ends')
    this.name = `${origin}${pathname}`.replace(/\/+$/, '')
    this.#options = options
  }

  /**
   * Asks, and gives the JSON of each event of the answer; of a server that does not stream, its whole answer. Leaving the loop or aborting closes the connection.
   * @throws EngineError; the signal's reason when it is aborted
   */
  async *stream(path: string, body: object, signal: AbortSignal): AsyncGenerator<unknown, void> {
    using watch = this.#watch(signal)
    try {
      const response = await this.#answered(path, { method: 'POST', body: JSON.stringify(body) }, watch)
      const bytes = heard(response, watch)
      if (response.headers.get('content-type')?.includes('json')) {
        yield this.#parsed(await all(bytes, longestAnswer))
        return
      }
      for await (const data of eventData(bytes)) {
        if (data === '[DONE]') return
        yield this.#parsed(data)
      }
    } catch (error) {
      throw this.#readable(error, watch)
    }
  }

  /** One question, one answer, asked once. @throws as `stream` */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    using watch = this.#watch(signal)
    try {
      const response = await this.#once(path, { method: 'GET' }, watch)
      const text = await all(heard(response, watch), longestAnswer)
      if (!response.ok) throw serverError(response.status, complaintOf(text), this.name, this.#options.apiKey)
      return this.#parsed(text)
    } catch (error) {
      throw this.#readable(error, watch)
    }
  }

  #watch(signal: AbortSignal): Watch {
    const { timeout } = this.#options
    return new Watch(
      signal,
      timeout,
      () =>
        new EngineError(
          'TIMEOUT',
          `${this.name} sent nothing for ${timeout / 1000} s. Raise the module's timeout, or look at the server.`,
        ),
    )
  }

  /** The answer, after as many attempts as are allowed. */
  async #answered(path: string, init: RequestInit, watch: Watch): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#once(path, init, watch)
      if (response.ok) return response
      const text = await all(heard(response, watch), longestAnswer)
      const complaint = complaintOf(text)
      // An account without money stays without it.
      const wait =
        complaint.code === 'insufficient_quota'
          ? undefined
          : retryPause(response.status, attempt, response.headers.get('retry-after'))
      if (wait === undefined || attempt >= this.#options.retries)
        throw serverError(response.status, complaint, this.name, this.#options.apiKey)
      // The server's own pause is no silence.
      watch.rest()
      await pause(wait, undefined, { signal: watch.signal })
      watch.news()
    }
  }

  async #once(path: string, init: RequestInit, watch: Watch): Promise<Response> {
    const { apiKey } = this.#options
    const headers = {
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json',
      ...(apiKey && { authorization: `Bearer ${apiKey}` }),
    }
    // A redirect could lead the key and the text to somebody else.
    const response = await fetch(`${this.name}${path}`, { ...init, headers, redirect: 'manual', signal: watch.signal })
    watch.news()
    if (response.status < 300 || response.status >= 400) return response
    const to = response.headers.get('location') ?? 'elsewhere'
    throw new EngineError('BAD_RESPONSE', `${this.name} points to ${to}. Give the address that is meant as the module's baseUrl.`)
  }

  #parsed(data: string): unknown {
    let json: unknown
    try {
      json = JSON.parse(data)
    } catch (cause) {
      throw new EngineError('BAD_RESPONSE', `${this.name} sent what is no JSON. Is it an OpenAI-compatible server?`, { cause })
    }
    const complaint = typeof json === 'object' && json !== null && 'error' in json && json.error ? complaintIn(json) : undefined
    if (complaint) throw serverError(500, complaint, this.name, this.#options.apiKey)
    return json
  }

  /** The reason of whoever ended it, or what the connection died of. */
  #readable(error: unknown, watch: Watch): unknown {
    if (error instanceof EngineError) return error
    if (watch.signal.aborted) return watch.signal.reason
    const cause = (error as { cause?: { code?: unknown; message?: unknown } }).cause
    const why = String(cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : error))
    // What fetch throws before there is an answer is 'fetch failed', after it 'terminated'.
    if (error instanceof TypeError && error.message !== 'terminated')
      return new EngineError(
        'UNREACHABLE',
        `${this.name} cannot be reached (${why}). Is the server running, and its address right?`,
        {
          cause: error,
        },
      )
    return new EngineError('DISCONNECTED', `${this.name} broke off its answer (${why}). Ask again.`, { cause: error })
  }
}

async function* heard(response: Response, watch: Watch): AsyncGenerator<Uint8Array, void> {
  if (!response.body) return
  for await (const chunk of response.body) {
    watch.news()
    yield chunk
  }
}

async function all(bytes: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > most) throw new EngineError('BAD_RESPONSE', `The server sent more than ${most / 2 ** 20} MB.`)
  }
  return text + decoder.decode()
}
