import { expect, test } from 'vitest'
import { ServiceGone } from '../errors.js'
import { ServiceSlot, serves, token, unwrap } from './services.js'

class Counter {
  #count = 0
  readonly label = 'counter'
  next(): number {
    return ++this.#count
  }
}

test('a handle works like the implementation, private members included', () => {
  const counter = new Counter()
  const handle = new ServiceSlot('m', token('c'), counter, false).handle as Counter
  expect(handle.next()).toBe(1)
  expect(handle.label).toBe('counter')
  expect(handle).toBeInstanceOf(Counter)
  expect(handle.next).toBe(handle.next)
  expect(Object.keys(handle)).toEqual(['label'])
})

test('after the end the handle and methods taken off it throw ServiceGone', () => {
  const slot = new ServiceSlot('m', token('c'), new Counter(), false)
  const handle = slot.handle as Counter
  const { next } = handle
  expect(next()).toBe(1)
  slot.end("'m' was unloaded")
  expect(() => handle.next()).toThrow(ServiceGone)
  expect(() => next()).toThrow("The service of module 'm' is gone: 'm' was unloaded.")
  expect(() => handle.label).toThrow(ServiceGone)
})

test('unwrap gives the implementation, and anything else as it is', () => {
  const counter = new Counter()
  const slot = new ServiceSlot('m', token('c'), counter, false)
  expect(unwrap(slot.handle)).toBe(counter)
  expect(unwrap(counter)).toBe(counter)
  expect(unwrap(5)).toBe(5)
  slot.end('gone')
  const double = new ServiceSlot('m', token('f'), (n: number) => n * 2, false)
  expect((double.handle as (n: number) => number)(4)).toBe(8)
})

test('a provider serves its major up to its own minor', () => {
  expect(serves(token('c', '1.2'), token('c', '1.0'))).toBe(true)
  expect(serves(token('c', '1.0'), token('c', '1.2'))).toBe(false)
  expect(serves(token('c', '2.0'), token('c', '1.0'))).toBe(false)
})

test('a call that waits for a swap answers with all that the answer will have', async () => {
  const answerOf = (pieces: string[]) => ({
    result: Promise.resolve(pieces.join('')),
    async *[Symbol.asyncIterator]() {
      yield* pieces
    },
  })
  const [old, fresh] = [['old'], ['a', 'b']].map(
    (pieces) => new ServiceSlot('m', token('c'), { stream: () => answerOf(pieces!) }, false),
  )
  const handle = old!.handle as { stream(): ReturnType<typeof answerOf> }
  let swapped = () => {}
  old!.hold(new Promise<void>((resolve) => (swapped = resolve)))
  const stream = handle.stream()
  old!.follow(fresh!)
  swapped()
  const seen: string[] = []
  for await (const piece of stream) seen.push(piece)
  expect(seen).toEqual(['a', 'b'])
  expect(await stream.result).toBe('ab')
})
