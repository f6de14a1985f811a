import type { Health } from '../../define.js'

const statuses: readonly Health['status'][] = ['healthy', 'degraded', 'unhealthy', 'unknown']

/** What another side says of its health, made safe. */
export function readHealth(given: unknown): Health {
  const { status, message } = (given ?? {}) as { status?: unknown; message?: unknown }
  const known = statuses.find((name) => name === status) ?? 'unknown'
  return typeof message === 'string' ? { status: known, message } : { status: known }
}
