import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OverflowPolicy, QueueOverflow } from './event-map.js'
import type { QueueOptions } from './event-queue.js'
import { EventBus } from './events.js'

/** A bus with a queued handler of `n` that waits at each event until it is let on. */
function slow(queue: QueueOptions) {
  const bus = new EventBus()
  const seen: unknown[] = []
  const overflows: QueueOverflow[] = []
  let open: () => void = () => undefined
  bus.on('bus.overflow', (overflow) => overflows.push(overflow))
  const off = bus.on(
    'n',
    (payload) => {
      seen.push(payload)
      return new Promise<void>((resolve) => (open = resolve))
    },
    { module: 'm', queue },
  )
  /** Ends the event under way and lets the next begin. */
  const next = async () => {
    open()
    await turn()
  }
  return { bus, seen, overflows, off, next }
}

/** Everything that is ready has run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a queued handler runs later, one event at a time', async () => {
  const { bus, seen, next } = slow({})
  expect(bus.emit('n', 1)).toBe(1)
  bus.emit('n', 2)
  expect(seen).toEqual([])
  await turn()
  expect(seen).toEqual([1])
  await next()
  expect(seen).toEqual([1, 2])
})

test.each<[OverflowPolicy, number[], number[]]>([
  ['drop-oldest', [1, 4, 5], [1, 1, 1, 1, 1]],
  ['drop-newest', [1, 2, 3], [1, 1, 1, 0, 0]],
  ['latest', [1, 4, 5], [1, 1, 1, 1, 1]],
  ['block', [1, 2, 3], [1, 1, 1, 0, 0]],
])('a full queue with %s keeps %j, and emit says which were taken', async (overflow, kept, taken) => {
  const { bus, seen, next } = slow({ size: 2, overflow })
  const answers = [bus.emit('n', 1)]
  await turn()
  for (const n of [2, 3, 4, 5]) answers.push(bus.emit('n', n))
  for (let i = 0; i < 4; i++) await next()
  expect(seen).toEqual(kept)
  expect(answers).toEqual(taken)
})

test('losses are told at the first of a row and once the queue has run empty, with the module', async () => {
  const { bus, overflows, next } = slow({ size: 1, overflow: 'drop-newest' })
  bus.emit('n', 1)
  await turn()
  for (const n of [2, 3, 4, 5]) bus.emit('n', n)
  const told = { event: 'n', pattern: 'n', module: 'm', overflow: 'drop-newest' }
  expect(overflows).toEqual([{ ...told, lost: 1, dropped: 1 }])
  expect(bus.queues).toEqual([{ pattern: 'n', module: 'm', overflow: 'drop-newest', size: 1, length: 1, dropped: 3 }])
  await next()
  await next()
  expect(overflows[1]).toEqual({ ...told, lost: 3, dropped: 3 })
  bus.emit('n', 6)
  await turn()
  bus.emit('n', 7)
  bus.emit('n', 8)
  expect(overflows[2]).toEqual({ ...told, lost: 1, dropped: 4 })
})

test('emitAsync waits for room in a queue that blocks, and those who wait are served in order', async () => {
  const { bus, seen, next } = slow({ size: 1, overflow: 'block' })
  const done: number[] = []
  const emit = (n: number) => bus.emitAsync('n', n).then(({ delivered }) => delivered === 1 && done.push(n))
  emit(1)
  await turn()
  emit(2)
  emit(3)
  await turn()
  expect(done).toEqual([1, 2])
  expect(bus.emit('n', 'too early')).toBe(0)
  await next()
  expect(done).toEqual([1, 2, 3])
  await next()
  expect(seen).toEqual([1, 2, 3])
})

test('emitAsync that has waited long enough is refused; so is one too many that wait', async () => {
  const { bus, overflows } = slow({ size: 1, overflow: 'block', patience: 5 })
  bus.emit('n', 1)
  await turn()
  bus.emit('n', 2)
  const [waited, refused] = await Promise.all([bus.emitAsync('n', 3), bus.emitAsync('n', 4)])
  const message = "The queue of 'n' of module 'm' is full (1)"
  for (const [report, n] of [
    [waited, 3],
    [refused, 4],
  ] as const) {
    expect(report, `event ${n}`).toMatchObject({
      matched: 1,
      delivered: 0,
      failed: [{ module: 'm', error: { code: 'QUEUE_FULL' } }],
    })
    expect((report.failed[0]!.error as Error).message).toContain(message)
  }
  expect(bus.queues[0]!.dropped).toBe(2)
  expect(overflows).toHaveLength(1)
})

test('the end of a subscription ends the waiting and forgets what is queued', async () => {
  const { bus, seen, off, next } = slow({ size: 1, overflow: 'block' })
  bus.emit('n', 1)
  await turn()
  bus.emit('n', 2)
  const waiting = bus.emitAsync('n', 3)
  off()
  expect((await waiting).failed).toMatchObject([{ module: 'm', error: { code: 'CANCELLED' } }])
  await next()
  expect(seen).toEqual([1])
})

test('five failures in a row suspend a queued handler', async () => {
  const bus = new EventBus()
  const errors: unknown[] = []
  const calls: unknown[] = []
  bus.on('bus.error', ({ module, suspended }) => errors.push([module, suspended]))
  bus.on(
    'n',
    async (payload) => {
      calls.push(payload)
      if (payload !== 'good') throw new Error('bad')
    },
    { module: 'm', queue: {} },
  )
  for (const payload of ['bad', 'good', ...Array(7).fill('bad')]) bus.emit('n', payload)
  await turn()
  expect(calls).toHaveLength(7)
  expect(errors.at(-1)).toEqual(['m', true])
  expect(bus.size).toBe(1)
})

test('a queue that fills itself lets the rest of the program run', async () => {
  const bus = new EventBus()
  let calls = 0
  const off = bus.on(
    'n',
    () => {
      calls++
      bus.emit('n', 0)
    },
    { queue: {} },
  )
  bus.emit('n', 0)
  await turn()
  await turn()
  expect(calls).toBeGreaterThan(64)
  off()
})

test('an overflow of a queue of everything does not call itself', async () => {
  const bus = new EventBus()
  const seen: string[] = []
  bus.on('**', (_, name) => seen.push(name), { queue: { size: 2, overflow: 'drop-oldest' } })
  for (let i = 0; i < 10; i++) bus.emit('n', i)
  await turn()
  expect(bus.recent('bus.overflow').length).toBeLessThanOrEqual(3)
  expect(seen.at(-1)).toBe('bus.overflow')
})

test('what a queue has taken is either run or counted as dropped, whatever the policy and the order', async () => {
  const action = fc.oneof(fc.constant('emit' as const), fc.constant('emitAsync' as const), fc.constant('next' as const))
  const policy = fc.constantFrom<OverflowPolicy>('drop-oldest', 'drop-newest', 'latest', 'block')
  await fc.assert(
    fc.asyncProperty(
      policy,
      fc.integer({ min: 1, max: 5 }),
      fc.array(action, { maxLength: 30 }),
      async (overflow, size, actions) => {
        const { bus, seen, next } = slow({ size, overflow })
        let sent = 0
        for (const what of actions) {
          if (what === 'next') await next()
          else void bus[what]('n', sent++)
        }
        const dropped = () => bus.queues[0]!.dropped
        for (let i = 0; i <= sent && seen.length + dropped() < sent; i++) await next()
        expect(seen.length + dropped()).toBe(sent)
        expect(seen).toEqual([...seen].sort((a, b) => (a as number) - (b as number)))
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 2000 : 100 },
  )
})

test('options that make no sense are errors that name the subscription', () => {
  const bus = new EventBus()
  const bad: QueueOptions[] = [
    { size: 0 },
    { size: 1.5 },
    { size: 1e9 },
    { overflow: 'spill' as never },
    { patience: -1 },
    { patience: Number.NaN },
  ]
  for (const queue of bad) expect(() => bus.on('n', () => 0, { module: 'm', queue })).toThrow(/^The queue of 'n' of module 'm': /)
  expect(bus.size).toBe(0)
})
