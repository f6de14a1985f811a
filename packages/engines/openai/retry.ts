/** A server that asks for more patience than this is not asked again, ms. */
const mostPatience = 60_000
/** Pause before the first retry, doubled each time up to the most, ms; a quarter more or less, so that clients spread. */
const [firstPause, mostPause, jitter] = [500, 8_000, 0.25]

/** Answers after which the same request may succeed: busy, or broken for the moment. */
const worthRetrying = new Set([408, 429, 500, 502, 503, 504, 529])

/**
 * How long to wait before asking again, ms; undefined where that is of no use.
 * @param attempt from 0
 * @param retryAfter the header: seconds, or a date
 */
export function retryPause(
  status: number,
  attempt: number,
  retryAfter: string | null,
  { now = Date.now(), random = Math.random() } = {},
): number | undefined {
  if (!worthRetrying.has(status)) return undefined
  const asked = retryAfter === null ? undefined : patienceOf(retryAfter, now)
  if (asked !== undefined) return asked > mostPatience ? undefined : asked
  return Math.min(mostPause, firstPause * 2 ** attempt) * (1 - jitter + 2 * jitter * random)
}

function patienceOf(header: string, now: number): number | undefined {
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
