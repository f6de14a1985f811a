import type { PageRequest, WebPage, WebPages } from '@enigma/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { hostName, isLoopback } from './http/addresses.js'

type Pages = Parameters<WebPages['serve']>[0]

/** Pages that modules show beside the routes. They come and go while the server listens, which takes no routes any more. */
export class PageShelf {
  readonly #shown: Pages[] = []

  serve(pages: Pages): () => void {
    this.#shown.unshift(pages)
    return () => {
      const at = this.#shown.indexOf(pages)
      if (at >= 0) this.#shown.splice(at, 1)
    }
  }

  find(request: PageRequest): WebPage | undefined {
    for (const pages of this.#shown) {
      const page = pages(request)
      if (page) return page
    }
    return undefined
  }
}

/** @param token given to pages that a browser on this machine asks for; none where a key is required */
export function webPages(server: FastifyInstance, shelf: PageShelf, token: string | undefined): void {
  server.get('/*', { schema: { hide: true } }, async (request, reply) => {
    const page = shelf.find({ path: pathOf(request), token: isFromHere(request) ? token : undefined })
    if (!page) return reply.callNotFound()
    void reply.header('cache-control', page.cacheControl)
    if (page.etag !== undefined) {
      void reply.header('etag', page.etag)
      if (request.headers['if-none-match']?.split(/,\s*/).includes(page.etag)) return reply.code(304).send()
    }
    return reply.type(page.type).send(typeof page.body === 'string' ? page.body : Buffer.from(page.body))
  })
}

/** What a proxy passes on comes from anywhere, whatever address it has here. */
const passedOn = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

const isFromHere = ({ headers }: FastifyRequest): boolean =>
  isLoopback(hostName(headers.host)) && passedOn.every((name) => headers[name] === undefined)

function pathOf({ url }: FastifyRequest): string {
  const path = url.split('?', 1)[0]!
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
