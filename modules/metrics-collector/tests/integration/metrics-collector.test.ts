import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Metrics, type MetricView } from '@enigma/contracts'
import { checkModules, ModuleManager } from '@enigma/kernel'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { MetricsService, WrittenMetrics } from '../../types.js'

// The module as it ships, through a real manager.

const moduleFolder = fileURLToPath(new URL('../../../', import.meta.url))

let folder = ''
let manager: ModuleManager
const before = process.env.ENIGMA_HOME
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-metrics-'))
  process.env.ENIGMA_HOME = folder
  manager = await ModuleManager.open({ modules: [moduleFolder], hardware: { gpus: [] } })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await manager.shutdown()
  if (before === undefined) delete process.env.ENIGMA_HOME
  else process.env.ENIGMA_HOME = before
  rmSync(folder, { recursive: true, force: true })
})

const metrics = (): MetricsService => manager.getInterface('metrics-collector')
const written = () => JSON.parse(readFileSync(join(folder, 'state', 'metrics.json'), 'utf8')) as WrittenMetrics
const run = (name: string, options = {}, args: string[] = []) => manager.runCommand('metrics-collector', name, { options, args })

/** Values by their labels, `module=a,code=X`. */
function valuesOf(views: readonly MetricView[], name: string): Record<string, number> {
  const values = views.find((view) => view.name === name)?.values ?? []
  const key = (labels: object) =>
    Object.entries(labels)
      .map((pair) => pair.join('='))
      .join()
  return Object.fromEntries(values.map(({ labels, value, histogram }) => [key(labels), histogram?.count ?? value]))
}

function add(id: string, module: object = {}): void {
  manager.register({ manifest: { id, version: '1.0.0' }, module })
}

test('the manifest is clean', async () => {
  expect(await checkModules([moduleFolder])).toEqual([])
  expect(manager.listModules()).toMatchObject([{ id: 'metrics-collector', kind: 'daemon', provides: ['metrics'] }])
})

test('modules are counted from before the collector came: loads, starts, errors, states, durations', async () => {
  add('early')
  add('late')
  add('bad', {
    load() {
      throw new Error('no')
    },
  })
  await manager.load('early')
  await manager.load('metrics-collector')
  await manager.load('late')
  await manager.unload('early')
  await manager.load('early')
  await manager.stop('late')
  await manager.tryLoad('bad')
  const views = await metrics().snapshot()
  const own = { 'module=metrics-collector': 1 }
  expect(valuesOf(views, 'enigma_module_loads_total')).toEqual({ 'module=early': 2, 'module=late': 1, ...own })
  expect(valuesOf(views, 'enigma_module_load_seconds')).toEqual({ 'module=early': 2, 'module=late': 1, ...own })
  expect(valuesOf(views, 'enigma_module_starts_total')).toEqual({ 'module=early': 2, 'module=late': 1, ...own })
  expect(valuesOf(views, 'enigma_module_stops_total')).toEqual({ 'module=early': 1, 'module=late': 1 })
  expect(valuesOf(views, 'enigma_module_unloads_total')).toEqual({ 'module=early': 1 })
  expect(valuesOf(views, 'enigma_module_errors_total')).toEqual({ 'code=LOAD_FAILED,module=bad': 1 })
  expect(valuesOf(views, 'enigma_module_active')).toEqual({ 'module=early': 1, 'module=late': 0, 'module=bad': 0, ...own })
})

test('handlers that throw and work that is done are counted by events', async () => {
  await manager.load('metrics-collector')
  add('clumsy', {
    load(ctx: { events: ModuleManager['events'] }) {
      ctx.events.on('x', () => {
        throw new Error('boom')
      })
    },
  })
  await manager.load('clumsy')
  manager.events.emit('x', 1)
  const done = { id: '1', model: 'tiny', tokens: 20, tokensPerSecond: 100, finishReason: 'stop' } as const
  manager.events.emit('generation.finished', done)
  manager.events.emit('generation.finished', { ...done, tokensPerSecond: 120 })
  manager.events.emit('training.report', { id: 'j', step: 1, loss: Number.NaN, learningRate: 1, tokensPerSecond: 9 })
  const views = await metrics().snapshot()
  expect(valuesOf(views, 'enigma_handler_errors_total')).toEqual({ 'module=clumsy': 1 })
  expect(valuesOf(views, 'enigma_generated_tokens_total')).toEqual({ 'model=tiny': 40 })
  expect(valuesOf(views, 'enigma_generation_tokens_per_second')).toEqual({ 'model=tiny': 120 })
  expect(valuesOf(views, 'enigma_training_loss')).toEqual({})
  expect(valuesOf(views, 'enigma_training_tokens_per_second')).toEqual({ 'job=j': 9 })
})

test('the process is measured', async () => {
  await manager.load('metrics-collector')
  const views = await metrics().snapshot()
  const value = (name: string) => valuesOf(views, name)['']!
  expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(value('nodejs_heap_used_bytes'))
  expect(value('nodejs_eventloop_delay_p99_seconds')).toBeGreaterThanOrEqual(0)
  expect(value('nodejs_eventloop_utilization')).toBeLessThanOrEqual(1)
})

test('other modules count through the service, and their counts outlive them', async () => {
  manager.register({
    manifest: { id: 'shop', version: '1.0.0', requires: ['metrics@^1'] },
    module: {
      load(ctx) {
        const sales = ctx.use(Metrics).counter('sales_total', { help: 'Sales', labels: ['what'] })
        return { sell: (what: string) => sales.inc(1, { what }) }
      },
    },
  })
  await manager.load('shop')
  const sell = () => manager.getInterface<{ sell(what: string): void }>('shop').sell('hare')
  sell()
  await manager.unload('shop')
  await manager.load('shop')
  sell()
  expect(valuesOf(await metrics().snapshot(), 'sales_total')).toEqual({ 'what=hare': 2 })
  expect(await metrics().prometheus()).toContain('sales_total{what="hare"} 2')
})

test('a reload loses no count, and what modules hold goes on counting', async () => {
  await manager.load('metrics-collector')
  const hits = metrics().counter('hits_total')
  hits.inc(2)
  const cpu = async () => valuesOf(await metrics().snapshot(), 'process_cpu_seconds_total')['']!
  const before = await cpu()
  expect(await manager.reload('metrics-collector')).toMatchObject({ up: true, handedOver: true })
  hits.inc(3)
  metrics().counter('hits_total').inc(5)
  add('late')
  await manager.load('late')
  const views = await metrics().snapshot()
  expect(valuesOf(views, 'hits_total')).toEqual({ '': 10 })
  expect(valuesOf(views, 'enigma_module_loads_total')).toEqual({ 'module=metrics-collector': 2, 'module=late': 1 })
  expect(metrics().series('hits_total')).toHaveLength(1)
  expect(await cpu()).toBeLessThan(before + process.cpuUsage().user / 1e6)
  expect(await cpu()).toBeGreaterThanOrEqual(before)
})

test('values are sampled into series, with bounded memory', async () => {
  await manager.load('metrics-collector', { sampleInterval: '100ms', retention: '1s' })
  metrics().gauge('mood').set(3)
  const samples = () => metrics().series('mood')[0]?.values.length ?? 0
  await vi.waitUntil(() => samples() >= 3)
  const [mood] = metrics().series('mood')
  expect(mood!.values.filter((value) => !Number.isNaN(value)).every((value) => value === 3)).toBe(true)
  expect(mood!.times).toEqual(mood!.times.toSorted((a, b) => a - b))
  const { memory, maxMemory, series } = metrics().status()
  expect(memory).toBe((series + 1) * 10 * 8)
  expect(maxMemory).toBe(1001 * 10 * 8)
})

test('the files are written at the start, at the interval and at the end, whole', async () => {
  await manager.load('metrics-collector', { flushInterval: '100ms' })
  expect(written()).toMatchObject({ pid: process.pid })
  const first = written().time
  await vi.waitUntil(() => written().time !== first)
  metrics().counter('last_total').inc(5)
  await manager.unload('metrics-collector')
  expect(valuesOf(written().metrics, 'last_total')).toEqual({ '': 5 })
  expect(readFileSync(join(folder, 'state', 'metrics.prom'), 'utf8')).toContain('last_total 5')
})

test('stop leaves no timer; stop and start may be said twice', async () => {
  const timers = vi.spyOn(globalThis, 'setInterval')
  const cleared = vi.spyOn(globalThis, 'clearInterval')
  await manager.load('metrics-collector', { sampleInterval: '7s', flushInterval: '70s' })
  await manager.stop('metrics-collector')
  await manager.stop('metrics-collector')
  await manager.start('metrics-collector')
  await manager.start('metrics-collector')
  await manager.unload('metrics-collector')
  const made = timers.mock.calls.flatMap(([, ms], i) => (ms === 7000 || ms === 70_000 ? [timers.mock.results[i]!.value] : []))
  expect(made).toHaveLength(4)
  expect(cleared.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(made))
})

test('a file that cannot be written is logged once and shown by health', async () => {
  writeFileSync(join(folder, 'state'), 'a file where the folder belongs')
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  await manager.load('metrics-collector')
  await metrics().flush()
  expect(warnings).toEqual([expect.stringContaining('The metrics cannot be written to')])
  expect((await manager.health('metrics-collector'))['metrics-collector']!.status).toBe('degraded')
  rmSync(join(folder, 'state'))
  await metrics().flush()
  expect((await manager.health('metrics-collector'))['metrics-collector']!.status).toBe('healthy')
})

test('a retention of too many samples is refused with the number', async () => {
  await expect(manager.load('metrics-collector', { retention: '100h', sampleInterval: '1s' })).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: '100h in steps of 1s are 360000 points, at most 8640. Sample less often.',
  })
})

test('a recorded value reaches the collector at its next sample; what makes no sense is logged', async () => {
  expect(await run('record', {}, ['deploys', '3'])).toBe('Left deploys 3; no collector runs now, the next one takes it')
  await run('record', { type: 'counter', label: ['site=a', 'zone=b=c'] }, ['visits_total', '2'])
  const warnings: string[] = []
  manager.events.on('log', ({ message }) => warnings.push(message))
  writeFileSync(join(folder, 'state', 'metrics', 'inbox', '9999999999999999-x.mail'), '{"name":')
  await manager.load('metrics-collector', { sampleInterval: '100ms', retention: '1m' })
  const views = await metrics().snapshot()
  expect(valuesOf(views, 'deploys')).toEqual({ '': 3 })
  expect(valuesOf(views, 'visits_total')).toEqual({ 'site=a,zone=b=c': 2 })
  expect(warnings).toEqual(['A recorded value was refused: it is no JSON.'])
  expect(await run('record', { type: 'counter', label: ['site=a', 'zone=b=c'] }, ['visits_total', '1'])).toContain(
    'at its next sample',
  )
  await vi.waitUntil(async () => valuesOf(await metrics().snapshot(), 'visits_total')['site=a,zone=b=c'] === 3)
})

test.each([
  [[], {}, 'Say what to record'],
  [['a'], {}, 'Say what to record'],
  [['a-b', '1'], {}, 'is no name for a metric'],
  [['a', 'many'], {}, 'finite numbers'],
  [['a', '-1'], { type: 'counter' }, 'only grows'],
  [['a', '1'], { label: ['site'] }, "'site' is no label. Write it as name=value."],
])('record %j %j is refused before anything is left', async (args, options, message) => {
  await expect(run('record', options, args)).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining(message),
  })
  expect(existsSync(join(folder, 'state'))).toBe(false)
})

test('status and list read what was written, and load nothing', async () => {
  expect(await run('status')).toContain('No collector has written metrics here')
  expect(await run('list')).toContain('No collector has written metrics here')
  await manager.load('metrics-collector')
  metrics()
    .histogram('answer_seconds', { buckets: [1, 2] })
    .observe(1.5)
  metrics()
    .counter('hits_total', { labels: ['path'] })
    .inc(2, { path: '/' })
  await manager.unload('metrics-collector')
  expect(await run('status')).toMatch(
    /^process {2}\d+, collecting\nwritten {2}.*\nmetrics {2}\d+, \d+ values\nfile {5}.*metrics\.json$/,
  )
  expect(await run('status', { format: 'json' })).toMatchObject({ collecting: true, pid: process.pid })
  expect(await run('list', { name: 'answer' })).toBe('answer_seconds  histogram  1 values, mean 1.5, p50 1.5, p99 1.99')
  expect(await run('list', { name: 'hits', format: 'json' })).toMatchObject([{ name: 'hits_total', values: [{ value: 2 }] }])
  expect(await run('list', { format: 'prometheus' })).toContain('hits_total{path="/"} 2')
  expect(manager.listLoaded()).toEqual([])
  writeFileSync(join(folder, 'state', 'metrics.json'), '{"metrics":')
  await expect(run('status')).rejects.toMatchObject({ code: 'BAD_CONFIG', message: expect.stringContaining('is damaged') })
})
