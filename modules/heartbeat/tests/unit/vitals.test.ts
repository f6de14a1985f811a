import { expect, test } from 'vitest'
import { cpu, memory, statusOf } from '../../vitals.js'

test.each([
  [90.1, 0, 'unhealthy'],
  [90, 0, 'degraded'],
  [80, 90, 'healthy'],
  [10, 90.1, 'degraded'],
  [95, 99, 'unhealthy'],
])('%d %% of memory and %d %% of CPU are %s', (memoryUsed, cpuUsed, status) => {
  expect(statusOf({ memory: memoryUsed, cpu: cpuUsed })).toBe(status)
})

test('memory and CPU are measured in their units', () => {
  const { used, total, percentage } = memory()
  expect(used).toBeGreaterThan(0)
  expect(used).toBeLessThanOrEqual(total)
  expect(percentage).toBeCloseTo((used / total) * 100, 0)
  const { usage, loadAverage } = cpu()
  expect(usage).toBeGreaterThanOrEqual(0)
  expect(usage).toBeLessThanOrEqual(100)
  expect(loadAverage).toHaveLength(3)
})
