import { expect, test } from 'vitest'
import { MetricTable } from '../../metric-table.js'

const view = async (table: MetricTable, name: string) => (await table.views()).find((metric) => metric.name === name)!
const refused = (message: string) => expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(message) })

test('counters grow, gauges go up and down, histograms count by size', async () => {
  const table = new MetricTable(10)
  const requests = table.counter('requests_total', { help: 'Requests', labels: ['route'] })
  requests.inc(1, { route: '/' })
  requests.inc(2.5, { route: '/' })
  const open = table.gauge('open')
  open.set(5)
  open.inc()
  open.dec(2)
  const seconds = table.histogram('seconds', { buckets: [1, 2, 4] })
  for (const value of [0.5, 1.5, 1.5, 3]) seconds.observe(value)
  expect(await view(table, 'requests_total')).toEqual({
    name: 'requests_total',
    type: 'counter',
    help: 'Requests',
    values: [{ labels: { route: '/' }, value: 3.5 }],
  })
  expect((await view(table, 'open')).values).toEqual([{ labels: {}, value: 4 }])
  expect((await view(table, 'seconds')).values).toEqual([
    { labels: {}, value: 1.625, histogram: { count: 4, sum: 6.5, p50: 1.5, p90: 3.2, p99: expect.closeTo(3.92) } },
  ])
})

test('two tables share nothing: there is no global registry', async () => {
  const [one, two] = [new MetricTable(10), new MetricTable(10)]
  one.counter('a').inc()
  two.gauge('a').set(7)
  expect([(await view(one, 'a')).values[0]!.value, (await view(two, 'a')).values[0]!.value]).toEqual([1, 7])
})

test('the same name is the same metric, in any order of its labels', async () => {
  const table = new MetricTable(10)
  table.counter('a', { labels: ['x', 'y'] }).inc(1, { x: 1, y: 2 })
  table.counter('a', { labels: ['y', 'x'] }).inc(1, { x: '1', y: '2' })
  expect((await view(table, 'a')).values).toEqual([{ labels: { x: '1', y: '2' }, value: 2 }])
})

test('combinations of labels beyond the limit are counted as other, and how many were', async () => {
  const table = new MetricTable(2)
  const hits = table.counter('hits', { labels: ['user'] })
  for (const user of ['a', 'b', 'c', 'd', 'a', 'c']) hits.inc(1, { user })
  expect((await view(table, 'hits')).values).toEqual([
    { labels: { user: 'a' }, value: 2 },
    { labels: { user: 'b' }, value: 1 },
    { labels: { user: 'other' }, value: 3 },
  ])
  expect((await view(table, 'enigma_metrics_folded_total')).values).toEqual([{ labels: { metric: 'hits' }, value: 3 }])
})

test('a label that is left out is empty, a long value is cut', async () => {
  const table = new MetricTable(10)
  const hits = table.counter('hits', { labels: ['user'] })
  hits.inc()
  hits.inc(1, { user: 'x'.repeat(1000) })
  expect((await view(table, 'hits')).values.map(({ labels }) => String(labels.user).length)).toEqual([0, 120])
})

test.each(['', '1a', 'a-b', 'a b', 'ä', 'a'.repeat(201), 'a\n'])('%j is no name for a metric', (name) => {
  expect(() => new MetricTable(1).gauge(name)).toThrow(refused('is no name for a metric'))
})

test('bad labels, types, buckets and values are refused with the reason', () => {
  const table = new MetricTable(10)
  const counter = table.counter('a', { labels: ['x'] })
  expect(() => table.gauge('a', { labels: ['x'] })).toThrow(refused("The metric 'a' is a counter with the labels x already"))
  expect(() => table.counter('a')).toThrow(refused('already'))
  expect(() => table.histogram('h', { labels: ['le'] })).toThrow(refused("'le' is no name for a label"))
  expect(() => counter.inc(1, { y: 1 })).toThrow(refused("has no label 'y'; it has: x"))
  for (const value of [-1, Number.NaN, Infinity, '3' as never]) expect(() => counter.inc(value)).toThrow(refused('only grows'))
  expect(() => table.gauge('g').set(Number.NaN)).toThrow(refused('finite numbers'))
  for (const buckets of [[], [2, 1], [1, 1], [Number.NaN]]) {
    expect(() => table.histogram('b', { buckets })).toThrow(refused('each larger than the one before'))
  }
})

test('a name with an id in it runs into the limit instead of filling memory', () => {
  const table = new MetricTable(1)
  expect(() => {
    for (let n = 0; n <= 500; n++) table.gauge(`request_${n}`)
  }).toThrow(refused('Put what varies into labels'))
})

test('the text is what Prometheus reads', async () => {
  const table = new MetricTable(10)
  table.counter('hits_total', { help: 'Hits', labels: ['path'] }).inc(2, { path: 'a"b\\c\nd' })
  expect(await table.text()).toContain('# HELP hits_total Hits\n# TYPE hits_total counter\nhits_total{path="a\\"b\\\\c\\nd"} 2')
})
