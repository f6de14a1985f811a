import { describe, expect, it } from 'vitest'
import { ReloadQueue } from './reload-queue.js'

/** Reloads that end when they are told to; each is announced. */
function reloads() {
  const running: { id: string; end: () => void }[] = []
  const waiting: ((begun: { id: string; end: () => void }) => void)[] = []
  let count = 0
  const reload = (id: string) =>
    new Promise<void>((end) => {
      count++
      const begun = { id, end }
      const next = waiting.shift()
      if (next) next(begun)
      else running.push(begun)
    })
  const next = () =>
    new Promise<{ id: string; end: () => void }>((resolve) => {
      const begun = running.shift()
      if (begun) resolve(begun)
      else waiting.push(resolve)
    })
  return { reload, next, count: () => count }
}

describe('the reload queue', () => {
  it('makes one reload of changes that come together', async () => {
    const { reload, next, count } = reloads()
    const queue = new ReloadQueue(reload, 1)
    for (let i = 0; i < 5; i++) queue.changed('a')
    const begun = await next()
    begun.end()
    await queue.close()
    expect(count()).toBe(1)
  })

  it('reloads again what changed while it was reloaded', async () => {
    const { reload, next, count } = reloads()
    const queue = new ReloadQueue(reload, 0)
    queue.changed('a')
    const first = await next()
    queue.changed('a')
    queue.changed('a')
    expect(count()).toBe(1)
    first.end()
    const second = await next()
    second.end()
    await queue.close()
    expect(count()).toBe(2)
  })

  it('keeps modules apart: one that takes long does not hold up another', async () => {
    const { reload, next } = reloads()
    const queue = new ReloadQueue(reload, 0)
    queue.changed('slow')
    const slow = await next()
    queue.changed('fast')
    const fast = await next()
    expect([slow.id, fast.id]).toEqual(['slow', 'fast'])
    fast.end()
    slow.end()
    await queue.close()
  })

  it('takes no change after its end, and ends when the running reload has', async () => {
    const { reload, next, count } = reloads()
    const queue = new ReloadQueue(reload, 0)
    queue.changed('a')
    const running = await next()
    queue.changed('a')
    let closed = false
    const closing = queue.close().then(() => {
      closed = true
    })
    queue.changed('b')
    await Promise.resolve()
    expect(closed).toBe(false)
    running.end()
    await closing
    expect(count()).toBe(1)
  })
})
