import { LmError } from '../errors.js'
import type { HubSettings } from './hub-settings.js'

/** A request that may succeed when it is made again. */
export class TransientError extends Error {}

/**
 * A request to the hub; redirects are followed, and the token does not go along to other hosts (fetch drops it there).
 * @param what the model, or the file of it, as messages name it
 * @throws TransientError; LmError HUB_NOT_FOUND, HUB_FORBIDDEN, HUB_FAILED; the signal's reason
 */
export async function hubRequest(
  { endpoint, token }: HubSettings,
  path: string,
  what: string,
  { headers = {}, signal }: { readonly headers?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Response> {
  const authorized = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  const response = await fetch(`${endpoint}/${path}`, { headers: authorized, signal }).catch((error: Error) => {
    signal.throwIfAborted()
    const why = error.cause instanceof Error ? error.cause.message : error.message
    throw new TransientError(`${endpoint} does not answer (${why})`, { cause: error })
  })
  if (response.ok) return response
  await response.body?.cancel()
  throw refusal(response, what, endpoint, token !== undefined)
}

/** What the hub says when it says no: by its own code where it gives one, else by the status. */
function refusal({ status, headers }: Response, what: string, endpoint: string, hasToken: boolean): Error {
  const code = headers.get('x-error-code')
  const model = what.split(/[@:]/)[0]!
  const at = `${endpoint}/${model}`
  if (code === 'GatedRepo')
    return new LmError(
      'HUB_FORBIDDEN',
      `${model} is gated: accept its terms at ${at}, then set HF_TOKEN to a token of that account.`,
    )
  if (code === 'RevisionNotFound') return new LmError('HUB_NOT_FOUND', `There is no ${what}: ${at}/branches lists its revisions.`)
  if (code === 'EntryNotFound') return new LmError('HUB_NOT_FOUND', `There is no ${what}.`)
  // Without a token, a private model and one that does not exist look alike.
  if (code === 'RepoNotFound' || status === 404 || (status === 401 && !hasToken))
    return new LmError(
      'HUB_NOT_FOUND',
      `There is no ${what} at ${endpoint}, or it is private: check the name${hasToken ? ' and what HF_TOKEN may read' : ', or set HF_TOKEN'}.`,
    )
  if (status === 401 || status === 403)
    return new LmError('HUB_FORBIDDEN', `${endpoint} refuses ${what} with this HF_TOKEN (${status}): make one that may read it.`)
  const failed = `${endpoint} answered ${status} for ${what}`
  return status === 429 || status >= 500 ? new TransientError(failed) : new LmError('HUB_FAILED', `${failed}.`)
}
