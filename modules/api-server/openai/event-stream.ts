import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { failureOf } from '../http/api-error.js'

/** Milliseconds without an event after which a comment is sent, so that proxies keep the connection. */
const pingAfter = 15_000

/**
 * Answers with server-sent events, one `data:` line of JSON each and `[DONE]` at the end. The first event is waited for before anything
 * is sent: what fails before it has a status of its own. What fails later is an event with `error`, and the stream ends.
 * A client that goes away ends `events` (its `finally` runs).
 */
export async function sendEvents(reply: FastifyReply, events: AsyncGenerator<object>): Promise<FastifyReply> {
  const first = await events.next()
  void reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
  return reply.send(
    Readable.from(
      lines(first, events, (error) => reply.log.error(error)),
      { objectMode: false, highWaterMark: 0 },
    ),
  )
}

async function* lines(
  first: IteratorResult<object>,
  events: AsyncGenerator<object>,
  log: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    let next = first
    while (!next.done) {
      yield `data: ${JSON.stringify(next.value)}\n\n`
      const coming = events.next()
      let quiet = await isQuiet(coming)
      while (quiet) {
        yield ': still working\n\n'
        quiet = await isQuiet(coming)
      }
      next = await coming
    }
    yield 'data: [DONE]\n\n'
  } catch (error) {
    const { status, body } = failureOf(error)
    if (status >= 500) log(error)
    yield `data: ${JSON.stringify(body)}\n\n`
  } finally {
    await events.return(undefined)
  }
}

/** Whether nothing came in time. What fails is not quiet. */
async function isQuiet(coming: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, pingAfter, true)
  })
  try {
    return await Promise.race([coming.then(notQuiet, notQuiet), late])
  } finally {
    clearTimeout(timer)
  }
}

const notQuiet = () => false
