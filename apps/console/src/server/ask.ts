/** What the server refuses, in its own words. */
export class ServerError extends Error {
  override readonly name = 'ServerError'
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
    /** Modules that would do instead, and those in question. */
    readonly alternatives: readonly string[] = [],
    readonly modules: readonly string[] = [],
  ) {
    super(message)
  }
}

interface ErrorBody {
  readonly error?: {
    readonly message: string
    readonly code: string | null
    readonly alternatives?: readonly string[]
    readonly modules?: readonly string[]
  }
}

const token = () => document.querySelector<HTMLMetaElement>('meta[name="enigma-token"]')?.content ?? ''

export interface AskOptions {
  /** Sent as JSON by `POST`. */
  readonly json?: unknown
  readonly signal?: AbortSignal
}

/** @throws ServerError for every answer that is not a 2xx, and when the server does not answer */
export async function ask(path: string, { json, signal }: AskOptions = {}): Promise<Response> {
  const headers = new Headers()
  if (token()) headers.set('authorization', `Bearer ${token()}`)
  if (json !== undefined) headers.set('content-type', 'application/json')
  const answer = await fetch(path, {
    method: json === undefined ? 'GET' : 'POST',
    headers,
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(signal && { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    throw new ServerError('The server does not answer. Is it still running?', 0, 'unreachable')
  })
  if (answer.ok) return answer
  // After a restart of the server its token is another one: the page gets it when it is loaded again.
  if (answer.status === 401) throw new ServerError('The server was started anew. Reload this page.', 401, 'stale_page')
  const { error } = (await answer.json().catch(() => ({}))) as ErrorBody
  throw new ServerError(
    error?.message ?? `The server answered ${answer.status}.`,
    answer.status,
    error?.code,
    error?.alternatives,
    error?.modules,
  )
}

export async function askJson<T>(path: string, options?: AskOptions): Promise<T> {
  return (await (await ask(path, options)).json()) as T
}
