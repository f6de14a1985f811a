import { expect, test } from 'vitest'
import { retryPause } from './retry.js'

test('only what may pass is asked again', () => {
  expect([400, 401, 404, 422, 501].map((status) => retryPause(status, 0, null))).toEqual(Array(5).fill(undefined))
  for (const status of [408, 429, 500, 502, 503, 504, 529]) expect(retryPause(status, 0, null)).toBeGreaterThan(0)
})

test('pauses double up to eight seconds, a quarter more or less', () => {
  expect([0, 1, 2, 3, 4, 9].map((attempt) => retryPause(503, attempt, null, { random: 0.5 }))).toEqual([
    500, 1000, 2000, 4000, 8000, 8000,
  ])
  expect([0, 1].map((random) => retryPause(503, 0, null, { random }))).toEqual([375, 625])
})

test('the server says how long: in seconds, or until when; more than a minute is too long', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryPause(429, 3, '2', { now })).toBe(2000)
  expect(retryPause(429, 3, 'Thu, 01 Jan 2026 00:00:07 GMT', { now })).toBe(7000)
  expect(retryPause(429, 3, 'Wed, 31 Dec 2025 00:00:00 GMT', { now })).toBe(0)
  expect(retryPause(429, 0, '3600', { now })).toBeUndefined()
  expect(retryPause(429, 0, 'soon', { now, random: 0.5 })).toBe(500)
})
