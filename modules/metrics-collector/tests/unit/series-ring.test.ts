import type { MetricView } from '@enigma/contracts'
import { expect, test } from 'vitest'
import { SeriesRing } from '../../series-ring.js'

const gauge = (name: string, ...values: [label: string, value: number][]): MetricView => ({
  name,
  type: 'gauge',
  help: '',
  values: values.map(([label, value]) => ({ labels: { label }, value })),
})

test('the last points are kept, oldest first', () => {
  const ring = new SeriesRing(3, 10)
  for (let n = 1; n <= 5; n++) ring.add(n * 1000, [gauge('a', ['x', n])])
  expect(ring.list()).toEqual([{ name: 'a', labels: { label: 'x' }, times: [3000, 4000, 5000], values: [3, 4, 5] }])
})

test('a series that comes later has no values before, one that is gone has none after', () => {
  const ring = new SeriesRing(4, 10)
  ring.add(1, [gauge('a', ['x', 1])])
  ring.add(2, [gauge('a', ['x', 2], ['y', 5])])
  ring.add(3, [gauge('a', ['y', 6])])
  expect(ring.list('a').map(({ labels, values }) => [labels.label, values])).toEqual([
    ['x', [1, 2, Number.NaN]],
    ['y', [Number.NaN, 5, 6]],
  ])
  expect(ring.list('b')).toEqual([])
})

test('of a histogram the count is kept', () => {
  const ring = new SeriesRing(2, 10)
  const histogram = { count: 7, sum: 3, p50: 0, p90: 0, p99: 0 }
  ring.add(1, [{ name: 'h', type: 'histogram', help: '', values: [{ labels: {}, value: 0.4, histogram }] }])
  expect(ring.list('h')[0]!.values).toEqual([7])
})

test('memory is bounded: more series are refused and counted', () => {
  const ring = new SeriesRing(100, 2)
  expect([ring.memory, ring.maxMemory]).toEqual([800, 2400])
  for (let n = 0; n < 3; n++) ring.add(n, [gauge('a', ['x', 1], ['y', 2], ['z', 3])])
  expect([ring.size, ring.dropped, ring.memory]).toEqual([2, 1, 2400])
})
