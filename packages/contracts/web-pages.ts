import { token } from '@enigma/kernel'

/** A `GET` that no route of the server takes. */
export interface PageRequest {
  /** Decoded, without the query: `/`, `/assets/index.js`. */
  readonly path: string
  /** Opens `/api`. Only for a browser on this machine that asks a server which is open to it; else the page has to ask for a key. */
  readonly token: string | undefined
}

export interface WebPage {
  readonly body: string | Uint8Array
  /** `text/html; charset=utf-8` */
  readonly type: string
  /** `no-store`, `immutable`, … */
  readonly cacheControl: string
  /** Quoted, as HTTP has it: who has this one already is answered 304. */
  readonly etag?: string
}

/** Shows pages beside the routes of an HTTP server. */
export interface WebPages {
  /** Where they are seen, `http://127.0.0.1:4113`. */
  readonly url: string
  /**
   * Asks `pages` for every path that has no route, until the returned function is called. What it does not know is a 404.
   * Several may be shown; the latest is asked first.
   */
  serve(pages: (request: PageRequest) => WebPage | undefined): () => void
}

export const WebPages = token<WebPages>('web-pages', '1.0')
