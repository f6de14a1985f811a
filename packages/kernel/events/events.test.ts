import { expect, test } from 'vitest'
import { EventBus } from './events.js'

test('handlers run in order of priority, then of subscription', () => {
  const bus = new EventBus()
  const log: string[] = []
  bus.on('a', () => log.push('first'))
  bus.on('a', () => log.push('second'))
  bus.on('a', () => log.push('urgent'), { priority: 10 })
  bus.on('a', () => log.push('late'), { priority: -1 })
  expect(bus.emit('a', 1)).toBe(4)
  expect(log).toEqual(['urgent', 'first', 'second', 'late'])
})

test('a.* takes one segment more, a.** any number, ** everything', () => {
  const bus = new EventBus()
  const log: string[] = []
  bus.on('a.*', (_, name) => log.push(`one ${name}`))
  bus.on('a.**', (_, name) => log.push(`many ${name}`))
  bus.on('**', (_, name) => log.push(`all ${name}`))
  for (const name of ['a', 'a.b', 'a.b.c', 'ab.c']) bus.emit(name, undefined)
  expect(log).toEqual(['all a', 'one a.b', 'many a.b', 'all a.b', 'many a.b.c', 'all a.b.c', 'all ab.c'])
})

test('a handler that throws does not stop the others, and bus.error names its module', () => {
  const bus = new EventBus()
  const log: string[] = []
  const errors: unknown[] = []
  bus.on('bus.error', ({ module, event, message }) => errors.push({ module, event, message }))
  bus.on(
    'a',
    () => {
      throw new Error('boom')
    },
    { module: 'm' },
  )
  bus.on('a', () => log.push('ran'))
  expect(bus.emit('a', 1)).toBe(1)
  expect(log).toEqual(['ran'])
  expect(errors).toEqual([{ module: 'm', event: 'a', message: 'boom' }])
})

test('a rejection of an asynchronous handler goes to bus.error too', async () => {
  const bus = new EventBus()
  const failed = new Promise<string>((resolve) => bus.on('bus.error', ({ message }) => resolve(message)))
  bus.on('a', () => Promise.reject(new Error('later')))
  bus.emit('a', 1)
  expect(await failed).toBe('later')
})

test('five failures in a row suspend a handler; a success starts the count anew', () => {
  const bus = new EventBus()
  let calls = 0
  bus.on('a', (payload) => {
    calls++
    if (payload === 'bad') throw new Error('bad')
  })
  for (const payload of ['bad', 'bad', 'bad', 'bad', 'good', 'bad', 'bad', 'bad', 'bad', 'bad', 'bad']) bus.emit('a', payload)
  expect(calls).toBe(10)
  expect(bus.size).toBe(0)
})

test('a failing handler of bus.error does not call itself', () => {
  const bus = new EventBus()
  let calls = 0
  bus.on('bus.error', () => {
    calls++
    throw new Error('again')
  })
  bus.on('a', () => {
    throw new Error('boom')
  })
  bus.emit('a', 1)
  expect(calls).toBe(1)
  expect(bus.recent('bus.error')).toHaveLength(2)
})

test('emitAsync waits for all and reports deliveries and failures', async () => {
  const bus = new EventBus()
  bus.on('a', async () => 1)
  bus.on('a', () => Promise.reject(new Error('no')), { module: 'm' })
  bus.on('a', () => 2)
  const report = await bus.emitAsync('a', 1)
  expect(report.matched).toBe(3)
  expect(report.delivered).toBe(2)
  expect(report.failed).toEqual([{ module: 'm', error: new Error('no') }])
})

test('a handler removed during an event still gets that one, a handler added gets the next', () => {
  const bus = new EventBus()
  const log: string[] = []
  bus.on('a', () => {
    off()
    bus.on('a', () => log.push('added'))
  })
  const off = bus.on('a', () => log.push('removed'))
  bus.emit('a', 1)
  expect(log).toEqual(['removed'])
  bus.emit('a', 2)
  expect(log).toEqual(['removed', 'added'])
})

test('once gives one event', () => {
  const bus = new EventBus()
  let calls = 0
  bus.once('a', () => calls++)
  bus.emit('a', 1)
  bus.emit('a', 1)
  expect(calls).toBe(1)
})

test('once gives one event, even if a handler before it emits the same again', () => {
  const bus = new EventBus()
  const seen: unknown[] = []
  bus.on('a', (payload) => payload === 1 && bus.emit('a', 2))
  bus.once('a', (payload) => seen.push(payload))
  bus.emit('a', 1)
  expect(seen).toEqual([2])
})

test('events that call each other without end stop at a depth', () => {
  const bus = new EventBus()
  let calls = 0
  bus.on('a', () => {
    calls++
    bus.emit('a', 1)
  })
  bus.emit('a', 1)
  expect(calls).toBe(64)
  expect(bus.recent('bus.error')).toHaveLength(1)
})

test('the last 4096 events are remembered, oldest first', () => {
  const bus = new EventBus()
  for (let i = 0; i < 5000; i++) bus.emit('n', i)
  const recent = bus.recent('n')
  expect(recent).toHaveLength(4096)
  expect(recent[0]!.payload).toBe(904)
  expect(recent.at(-1)!.payload).toBe(4999)
})

test('each of many handlers may fail: the others run, and the answer counts them', () => {
  for (let count = 1; count <= 11; count++) {
    for (let bad = 0; bad < count; bad++) {
      const bus = new EventBus()
      const ran: number[] = []
      const blamed: unknown[] = []
      bus.on('bus.error', ({ module }) => blamed.push(module))
      for (let i = 0; i < count; i++) {
        const fail = () => {
          throw new Error(`${i}`)
        }
        bus.on('a', i === bad ? fail : () => ran.push(i), { module: `m${i}` })
      }
      expect(bus.emit('a', 1)).toBe(count - 1)
      expect(ran).toEqual(Array.from({ length: count }, (_, i) => i).filter((i) => i !== bad))
      expect(blamed).toEqual([`m${bad}`])
    }
  }
})

test('whatever a handler throws or answers, the others run', () => {
  const bus = new EventBus()
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const hostile = Object.defineProperty(new Error(), 'message', {
    get() {
      throw new Error('hostile')
    },
  })
  const bad = [undefined, null, 0, 'text', Symbol('s'), 1n, cycle, hostile, new Proxy({}, { getPrototypeOf: () => null })]
  const messages: string[] = []
  bus.on('bus.error', ({ message }) => messages.push(message))
  for (const thrown of bad) {
    bus.on('a', () => {
      throw thrown
    })
  }
  // A promise in name only.
  bus.on('a', () => Object.defineProperty({}, 'then', { get: () => JSON.parse('{') }))
  bus.on('a', () => Object.defineProperty({}, 'then', { value: 'no function' }))
  expect(bus.emit('a', 1)).toBe(1)
  expect(messages).toHaveLength(bad.length + 1)
  expect(messages.every((message) => typeof message === 'string')).toBe(true)
  expect(bus.emit('a', 1)).toBe(1)
})

test('a handler that has failed once is still counted when it succeeds and fails again', () => {
  const bus = new EventBus()
  let calls = 0
  bus.on('**', (payload) => {
    calls++
    if (payload === 'bad') throw new Error('bad')
  })
  for (let i = 0; i < 12; i++) bus.emit(`a${i % 3}`, i % 4 === 3 ? 'good' : 'bad')
  expect(bus.size).toBe(1)
  expect(bus.recent('bus.error')).toHaveLength(9)
  expect(calls).toBe(12 + 9)
})

test('listenerCount counts the handlers of a name, patterns too', () => {
  const bus = new EventBus()
  bus.on('a.b', () => 0)
  bus.on('a.*', () => 0)
  const off = bus.on('**', () => 0)
  expect([bus.listenerCount('a.b'), bus.listenerCount('a.c'), bus.listenerCount('x')]).toEqual([3, 2, 1])
  off()
  expect([bus.listenerCount('a.b'), bus.listenerCount('a.c'), bus.listenerCount('x')]).toEqual([2, 1, 0])
})

test('asynchronous events that call each other without end stop at a depth', async () => {
  const bus = new EventBus()
  let calls = 0
  bus.on('a', () => {
    calls++
    return bus.emitAsync('a', 1)
  })
  expect((await bus.emitAsync('a', 1)).delivered).toBe(1)
  expect(calls).toBe(64)
})

test('a subscription without a name or a function is an error', () => {
  const bus = new EventBus()
  const bad = [
    ['', () => 0],
    [undefined, () => 0],
    ['a', undefined],
    ['a', 'text'],
    ['a*', () => 0],
  ]
  for (const [name, handler] of bad)
    expect(() => bus.on(name as string, handler as () => void)).toThrow(/Pass the name|whole segments/)
  const off = bus.on('a.*', () => 0)
  expect(() => bus.on('a', () => 0, { priority: Number.NaN })).toThrow("'priority' must be a number")
  for (const name of [undefined, null, 7, Symbol('s')])
    expect(() => bus.emit(name as never, 0 as never)).toThrow('The name of an event is a string')
  off()
  expect(bus.size).toBe(0)
})

test('the name is given to handlers of a pattern and to those that declare it', async () => {
  const bus = new EventBus()
  const given: unknown[][] = []
  bus.on('a.b', (...all) => given.push(all))
  bus.on('a.b', (payload, name) => given.push([payload, name]))
  bus.on('a.*', (...all) => given.push(all))
  bus.once('a.b', (payload, name) => given.push([payload, name]))
  bus.emit('a.b', 1)
  expect(given.splice(0)).toEqual([[1], [1, 'a.b'], [1, 'a.b'], [1, 'a.b']])
  await bus.emitAsync('a.b', 2)
  expect(given.splice(0)).toEqual([[2], [2, 'a.b'], [2, 'a.b']])
  bus.on('q', (...all) => given.push(all), { queue: {} })
  bus.on('q', (payload, name) => given.push([payload, name]), { queue: {} })
  bus.emit('q', 3)
  await new Promise((resolve) => setImmediate(resolve))
  expect(given).toEqual([[3], [3, 'q']])
})
