import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What can go wrong with one download: the connection breaks half-way or at once, nothing comes any more, a byte is wrong, the server is busy,
 * it knows no ranges, it sends too much.
 */
export const hubFaults = ['drop', 'refuse', 'hang', 'flip', 'busy', 'no ranges', 'too much'] as const
export type HubFault = (typeof hubFaults)[number]

export interface TestHubOptions {
  /** Only with this token. */
  readonly token?: string
  readonly gated?: boolean
  /** It takes questions and answers none. */
  readonly silent?: boolean
  /** Changes what the API says. */
  readonly answer?: (revision: { sha: string; siblings: object[] }) => unknown
}

interface SeenRequest {
  readonly server: 'hub' | 'store'
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

/**
 * A server that speaks as much of the Hugging Face hub's protocol as pulling needs, for one model, and beside it the store to which the hub
 * sends those who want large files. Faults that are queued happen to the next downloads.
 */
export class TestHub implements AsyncDisposable {
  readonly repository = 'tiny/teller'
  readonly commit: string
  readonly seen: SeenRequest[] = []
  readonly faults: HubFault[] = []
  readonly #files: ReadonlyMap<string, Buffer>
  readonly #options: TestHubOptions
  readonly #hub: Server
  readonly #store: Server

  private constructor(files: Readonly<Record<string, string | Uint8Array>>, options: TestHubOptions) {
    this.#files = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]))
    this.#options = options
    this.commit = sha('sha1', ...this.#files.values())
    this.#hub = createServer((request, response) => this.#answer(request, response))
    this.#store = createServer((request, response) => {
      this.#note('store', request)
      this.#send(request, response, this.#files.get(pathOf(request).slice(1))!)
    })
  }

  static async start(files: Readonly<Record<string, string | Uint8Array>>, options: TestHubOptions = {}): Promise<TestHub> {
    const hub = new TestHub(files, options)
    for (const server of [hub.#hub, hub.#store]) await once(server.listen(0, '127.0.0.1'), 'listening')
    return hub
  }

  get endpoint(): string {
    return address(this.#hub)
  }

  /** The name of a file in the cache. */
  oid(path: string): string {
    const content = this.#files.get(path)!
    return isLarge(path) ? sha('sha256', content) : sha('sha1', Buffer.from(`blob ${content.length}\0`), content)
  }

  /** Ranges asked for of large files, in order; undefined for whole ones. */
  get ranges(): (string | undefined)[] {
    return this.seen.filter(({ server }) => server === 'store').map(({ range }) => range)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      server.closeAllConnections()
      server.close()
    }
  }

  #note(server: SeenRequest['server'], request: IncomingMessage): void {
    const { range, authorization } = request.headers
    this.seen.push({ server, path: pathOf(request), range, authorization })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#note('hub', request)
    const { token, gated, silent, answer = (revision) => revision } = this.#options
    if (silent) return
    const refuse = (status: number, code: string) => response.writeHead(status, { 'x-error-code': code }).end('{}')
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return void refuse(401, 'RepoNotFound')
    if (gated) return void refuse(403, 'GatedRepo')
    const [, revision] = new RegExp(`^/api/models/${this.repository}/revision/(.+)$`).exec(pathOf(request)) ?? []
    const [, commit, path] = new RegExp(`^/${this.repository}/resolve/([^/]+)/(.+)$`).exec(pathOf(request)) ?? []
    if (revision !== undefined) {
      if (!['main', 'refs/pr/1', this.commit].includes(revision)) return void refuse(404, 'RevisionNotFound')
      const siblings = [...this.#files].map(([rfilename, content]) => this.#sibling(rfilename, content))
      response.end(JSON.stringify(answer({ sha: this.commit, siblings })))
    } else if (path !== undefined) {
      const content = this.#files.get(path)
      if (!content || commit !== this.commit) return void refuse(404, 'EntryNotFound')
      if (isLarge(path)) response.writeHead(302, { location: `${address(this.#store)}/${path}` }).end()
      else this.#send(request, response, content)
    } else refuse(404, 'RepoNotFound')
  }

  #sibling(rfilename: string, content: Buffer): object {
    const lfs = { sha256: sha('sha256', content), size: content.length, pointerSize: 130 }
    const blobId = sha('sha1', Buffer.from(`blob ${content.length}\0`), content)
    return { rfilename, size: content.length, blobId, ...(isLarge(rfilename) && { lfs }) }
  }

  #send(request: IncomingMessage, response: ServerResponse, content: Buffer): void {
    const fault = this.faults.shift()
    const asked = fault === 'no ranges' ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
    const rest = Buffer.from(content.subarray(Number(asked ?? 0)))
    if (fault === 'busy') return void response.writeHead(503).end()
    if (fault === 'refuse') return void request.socket.destroy()
    if (fault === 'flip') rest[rest.length >> 1]! ^= 1
    const sent = fault === 'too much' ? Buffer.concat([rest, rest]) : rest
    const range = asked !== undefined && { 'content-range': `bytes ${asked}-${content.length - 1}/${content.length}` }
    response.writeHead(asked === undefined ? 200 : 206, { 'content-length': sent.length, ...range })
    if (fault !== 'drop' && fault !== 'hang') return void response.end(sent)
    response.write(sent.subarray(0, sent.length >> 1), () => fault === 'drop' && request.socket.end())
  }
}

const isLarge = (path: string) => /\.(safetensors|gguf|bin)$/.test(path)
const pathOf = (request: IncomingMessage) => decodeURIComponent(new URL(request.url!, 'http://hub').pathname)
const address = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

function sha(algorithm: 'sha1' | 'sha256', ...content: readonly Buffer[]): string {
  const hash = createHash(algorithm)
  for (const piece of content) hash.update(piece)
  return hash.digest('hex')
}
