import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RequestQueue } from '../../request-queue.js'

const never = new AbortController().signal

test('requests run one at a time, in the order in which they came', async () => {
  const queue = new RequestQueue(1, 9)
  const log: string[] = []
  const work = (name: string) =>
    queue.run(never, async () => {
      log.push(`${name} in`)
      await turn()
      log.push(`${name} out`)
    })
  await Promise.all([work('a'), work('b'), work('c')])
  expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
})

test('who is aborted while waiting leaves the line, and the others move up', async () => {
  const queue = new RequestQueue(1, 9)
  const log: string[] = []
  const given = new AbortController()
  const open = latch()
  const first = queue.run(never, () => open.promise)
  const second = queue.run(given.signal, async () => void log.push('second'))
  const third = queue.run(never, async () => void log.push('third'))
  expect([queue.busy, queue.waiting]).toEqual([1, 2])
  given.abort(new Error('changed my mind'))
  await expect(second).rejects.toThrow('changed my mind')
  expect(queue.waiting).toBe(1)
  open.resolve()
  await Promise.all([first, third, queue.idle()])
  expect(log).toEqual(['third'])
  expect([queue.busy, queue.waiting]).toEqual([0, 0])
})

test('a request that fails lets the next one in', async () => {
  const queue = new RequestQueue(1, 9)
  const failing = queue.run(never, () => Promise.reject(new Error('no')))
  const next = queue.run(never, async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})

test('as many as there are places run at a time; beyond the limit of the line a request is refused', async () => {
  const queue = new RequestQueue(2, 1)
  const open = latch()
  const three = [1, 2, 3].map(() => queue.run(never, () => open.promise))
  expect([queue.busy, queue.waiting]).toEqual([2, 1])
  await expect(queue.run(never, () => open.promise)).rejects.toMatchObject({
    code: 'QUEUE_FULL',
    message: expect.stringContaining('2 requests are being answered and 1 wait; no more may'),
  })
  open.resolve()
  await Promise.all([...three, queue.idle()])
  expect([queue.busy, queue.waiting]).toEqual([0, 0])
})

function latch(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
