import { PassThrough } from 'node:stream'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { type Channel, lineChannel, lineReader, portChannel } from './channel.js'
import { type Handlers, Peer } from './peer.js'

type Two = readonly [Channel, Channel]

const ways: Readonly<Record<string, () => Two>> = {
  lines: () => {
    const [there, back] = [new PassThrough(), new PassThrough()]
    return [lineChannel(back, there), lineChannel(there, back)]
  },
  ports: () => {
    const { port1, port2 } = new MessageChannel()
    return [portChannel(port1), portChannel(port2)]
  },
}

const open: Peer[] = []
const gone = () => new Error('gone')
afterEach(() => {
  for (const peer of open.splice(0)) peer.close(gone)
})

describe.each(Object.entries(ways))('over %s', (_, channels) => {
  function peers(handlers: Handlers): [near: Peer, far: Peer] {
    const [a, b] = channels()
    const pair: [Peer, Peer] = [new Peer(a, {}, () => undefined), new Peer(b, handlers, () => undefined)]
    open.push(...pair)
    return pair
  }

  test('a call is answered, with bytes and errors', async () => {
    const [near] = peers({
      twice: ({ bytes }) => Uint8Array.from([...(bytes as Uint8Array), ...(bytes as Uint8Array)]),
      boom: () => {
        throw new RangeError('boom')
      },
    })
    expect(await near.request('twice', { bytes: new Uint8Array([1, 2]) })).toEqual(new Uint8Array([1, 2, 1, 2]))
    await expect(near.request('boom')).rejects.toThrow(RangeError)
    await expect(near.request('nothing')).rejects.toThrow("No method 'nothing'")
    await expect(near.request('toString')).rejects.toThrow("No method 'toString'")
  })

  test('a slow reader slows the writer down, and a reader that stops ends it', async () => {
    let made = 0
    let ended = false
    const [near] = peers({
      async *count() {
        try {
          for (;;) yield made++
        } finally {
          ended = true
        }
      },
    })
    const seen: unknown[] = []
    for await (const item of (await near.request('count')) as AsyncIterable<unknown>) {
      seen.push(item)
      expect(made).toBe(seen.length)
      if (seen.length === 5) break
    }
    expect(seen).toEqual([0, 1, 2, 3, 4])
    expect(ended).toBe(true)
  })

  test('streams go both ways', async () => {
    const [near] = peers({
      async sum({ numbers }) {
        let total = 0
        for await (const number of numbers as AsyncIterable<number>) total += number
        return total
      },
    })
    async function* numbers() {
      yield* [1, 2, 3]
    }
    expect(await near.request('sum', { numbers: numbers() })).toBe(6)
  })

  test('an abort signal reaches the other side during the call and its stream', async () => {
    const [near] = peers({
      wait: ({ signal }) =>
        new Promise((_, reject) => {
          const it = signal as AbortSignal
          it.addEventListener('abort', () => reject(it.reason as Error))
        }),
      async *stream({ signal }) {
        for (let i = 0; !(signal as AbortSignal).aborted; i++) yield i
      },
    })
    const controller = new AbortController()
    const waiting = near.request('wait', { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')

    const second = new AbortController()
    let read = 0
    for await (const _item of (await near.request('stream', { signal: second.signal })) as AsyncIterable<unknown>) {
      if (++read === 3) second.abort()
    }
    expect(read).toBeGreaterThanOrEqual(3)
  })

  test('when a side closes, its calls fail and the iterators it gave are ended', async () => {
    let ended: () => void = () => undefined
    const over = new Promise<void>((resolve) => (ended = resolve))
    const [near, far] = peers({
      hang: () => new Promise(() => undefined),
      async *count() {
        try {
          for (let i = 0; ; i++) yield i
        } finally {
          ended()
        }
      },
    })
    const stream = ((await near.request('count')) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    await stream.next()
    const hanging = near.request('hang')
    far.close(gone)
    near.close(() => new Error('the other side is gone'))
    await expect(hanging).rejects.toThrow('the other side is gone')
    await expect(stream.next()).rejects.toThrow('the other side is gone')
    await expect(near.request('hang')).rejects.toThrow('the other side is gone')
    await over
  })

  test('an answer that cannot cross is an error for the caller', async () => {
    const [near] = peers({ give: () => ({ call() {} }) })
    await expect(near.request('give')).rejects.toMatchObject({ code: 'NOT_TRANSFERABLE' })
  })
})

test('what is no JSON, or never ends, closes the connection with a reason', async () => {
  for (const bytes of ['{"jsonrpc":\n', 'x'.repeat(2000)]) {
    const input = new PassThrough()
    const closed = new Promise<Error | undefined>((resolve) => {
      new Peer(lineChannel(input, new PassThrough(), 1000), {}, resolve)
    })
    input.write(bytes)
    expect(await closed).toMatchObject({ code: 'BAD_MESSAGE' })
  }
})

test('lines are cut wherever the chunks end, and one that is too long is skipped up to its end', () => {
  const lines: string[] = []
  const long: string[] = []
  const read = lineReader(
    10,
    (line) => lines.push(line),
    (start) => long.push(start),
  )
  for (const chunk of ['a', 'bc\nde', '\n\nf\nthis line is', ' too long\nok\n']) read(Buffer.from(chunk))
  expect(lines).toEqual(['abc', 'de', 'f', 'ok'])
  expect(long).toHaveLength(1)
})
