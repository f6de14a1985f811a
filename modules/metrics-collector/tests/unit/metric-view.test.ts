import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MetricTable } from '../../metric-table.js'
import { percentile } from '../../metric-view.js'

test('a percentile is linear within its bucket, the last bound beyond it, and 0 of nothing', () => {
  const buckets = [
    [1, 2],
    [2, 4],
    [Infinity, 5],
  ] as const
  expect([0.2, 0.4, 0.6, 0.99].map((share) => percentile(buckets, 5, share))).toEqual([0.5, 1, 1.5, 2])
  expect(percentile([[1, 0]], 0, 0.5)).toBe(0)
})

test('of any values: the estimate lies in the bucket that holds the true percentile', async () => {
  const bounds = [1, 2, 5, 10, 100]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0.001, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 }),
      async (values) => {
        const table = new MetricTable(1)
        const metric = table.histogram('h', { buckets: bounds })
        for (const value of values) metric.observe(value)
        const { histogram } = (await table.views()).find(({ name }) => name === 'h')!.values[0]!
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(0.9 * values.length) - 1]!
        const at = bounds.findIndex((bound) => exact <= bound)
        expect(histogram!.p90).toBeGreaterThanOrEqual(bounds[at - 1] ?? 0)
        expect(histogram!.p90).toBeLessThanOrEqual(bounds[at]!)
        expect(histogram!.count).toBe(values.length)
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 1000 : 50 },
  )
})
